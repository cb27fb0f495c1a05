/** The way from a jail to the model gateway (contract, page 6): a socket, and for programs that speak TCP a forwarder beside them. */
import { type Host, PROGRAM_AT } from '../system/host.ts'
import type { Jail } from './jail.ts'

/** Where a jail shows the folder: a gateway that is started again makes another socket in it. */
const FOLDER_AT = '/run/gateway'
export const SOCKET_NAME = 'gateway.sock'
const SOCKET_AT = `/run/${SOCKET_NAME}`
const PORT = 8787
/** For so long a gateway may be away before its clients see that: it is started again with pauses of up to 10 s. Seconds. */
const PATIENCE_S = 15

/** What a jail shows of it. Read-only: one may talk to a socket in there, and put nothing in its place. */
export function gatewayOptions({ gateway }: Pick<Jail, 'gateway'>): string[] {
  return gateway === undefined ? [] : ['--ro-bind-try', gateway, FOLDER_AT, '--symlink', `gateway/${SOCKET_NAME}`, SOCKET_AT]
}

/** Few threads, which count as processes, and little memory. */
const FORWARDER = `${PROGRAM_AT}/bin/node --v8-pool-size=0 --max-semi-space-size=1 ${PROGRAM_AT}/dist/jail/forwarder.cjs ${PORT} ${SOCKET_AT} ${PATIENCE_S}`
/** Goes on when the forwarder listens or has failed, and becomes the program: its process, signals, input and exit status are its own. */
const SCRIPT = `: "$(/usr/bin/setsid ${FORWARDER} < /dev/null &)"; exec "$@"`

/** Put before the program. Without an installation that a jail can show there is no node for it: the socket is there all the same. */
export function forwarderWords({ gateway }: Pick<Jail, 'gateway'>, { program }: Pick<Host, 'program'>): string[] {
  return gateway === undefined || program.length === 0 ? [] : ['/bin/sh', '-c', SCRIPT, 'sh']
}

/** No secret: the socket says who calls, and the gateway has the provider's key. Clients want one, some this and some that. */
const PLACEHOLDER = 'pennypost'

/** Where programs find it. undefined: nothing leads there. */
export function gatewayEnvironment(jail: Pick<Jail, 'gateway'>): Record<string, string> {
  if (jail.gateway === undefined) return {}
  return { ANTHROPIC_BASE_URL: `http://127.0.0.1:${PORT}`, ANTHROPIC_API_KEY: PLACEHOLDER, ANTHROPIC_AUTH_TOKEN: PLACEHOLDER, PENNY_GATEWAY: SOCKET_AT }
}
