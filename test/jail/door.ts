/** An agent's jail with a socket to something that stands in for the gateway, without a daemon. */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Name } from '../../src/core/names.ts'
import { enclose, gatewayEnvironment, type Jail, lookWith, readStatus } from '../../src/jail/index.ts'
import { realClock } from '../../src/system/clock.ts'
import { realDisk } from '../../src/system/disk.ts'
import { type Host, hostOf } from '../../src/system/host.ts'
import { makeIds } from '../../src/system/ids.ts'
import { chooseLease } from '../../src/system/lease.ts'
import { packageFolder } from '../../src/system/package.ts'
import { realSpawner } from '../../src/system/spawner.ts'

export const HOST = hostOf(process.env['PATH'] ?? '')()
export const FORWARDER = join(packageFolder(), 'dist/jail/forwarder.cjs')
const IDS = makeIds(realClock)

/** As the daemon does it: each agent with a uid of its own, or all with an ordinary user's. */
export const MODES = process.getuid?.() === 0 ? (['system', 'user'] as const) : (['user'] as const)
export type Mode = (typeof MODES)[number]
const UIDS = { system: 61_001, user: 65_534 }

export type Ended = Readonly<{ code: number | undefined; out: string; err: string }>
export type Begun = Readonly<{ ended: Promise<Ended>; kill: (signal: 'SIGTERM' | 'SIGKILL') => void; out: () => string; left: () => number[] }>

export type Door = Readonly<{
  folder: string
  socket: string
  home: string
  uid: number
  /** Of a gateway: whoever may enter the folder may talk to it. */
  listen: (server: Server) => Promise<void>
  serve: (answer: RequestListener) => Promise<Server>
  begin: (argv: readonly string[], how?: Readonly<{ stdin?: string; host?: Host }>) => Promise<Begun>
  /** A module for the node of the jail; `ask(method, path, body, over)` is there. */
  script: (text: string) => Promise<Ended>
}>

/** What scripts have: a request over TCP or over the socket, each on a connection of its own. */
const PRELUDE = `
import http from 'node:http'
import net from 'node:net'
const { port } = new URL(process.env.ANTHROPIC_BASE_URL)
const to = (over) => over === 'socket' ? { socketPath: process.env.PENNY_GATEWAY } : { host: '127.0.0.1', port }
const ask = (path, { body = '', over = 'tcp', take = () => {} } = {}) => new Promise((resolve, reject) => {
  const req = http.request({ ...to(over), path, method: 'POST', agent: false }, (res) => {
    const chunks = []
    res.on('data', (chunk) => { chunks.push(chunk); take(chunk, req) }).on('error', reject).on('end', () => resolve(Buffer.concat(chunks)))
  })
  req.on('error', reject).end(body)
})
`

export async function makeDoor(t: Test, mode: Mode): Promise<Door> {
  if (!existsSync(FORWARDER)) throw new Error(`${FORWARDER} is not built: npm run build`)
  const uid = process.getuid?.() === 0 ? UIDS[mode] : (process.getuid?.() ?? 0)
  const root = mkdtempSync(join(tmpdir(), 'penny-door-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  chmodSync(root, 0o755)
  const folder = `${root}/sockets/legal`
  const socket = `${folder}/gateway.sock`
  for (const path of [folder, `${root}/legal/home`, `${root}/runners`]) mkdirSync(path, { recursive: true })
  for (const path of [`${root}/legal`, `${root}/legal/home`]) chownSync(path, uid, uid)
  if (mode === 'system') chownSync(folder, 0, uid)
  else chownSync(folder, uid, uid)
  chmodSync(folder, mode === 'system' ? 0o2710 : 0o700)
  const jail: Jail = {
    agent: 'legal' as Name,
    uid,
    gid: uid,
    workspace: `${root}/legal`,
    readOnly: [],
    readable: [],
    runners: `${root}/runners`,
    mounts: [],
    network: 'gateway',
    gateway: folder,
    organisation: root,
    writable: [],
    sameUid: mode === 'user',
  }
  const disk = realDisk(undefined, chooseLease(undefined, root))
  const as = process.getuid?.() === 0 ? { uid, gid: uid, groups: [] } : undefined

  const listen: Door['listen'] = (server) =>
    new Promise((resolve, reject) => {
      t.teardown(() => server.close())
      server.once('error', reject).listen(socket, () => {
        chmodSync(socket, 0o660)
        if (mode === 'user') chownSync(socket, uid, uid)
        resolve()
      })
    })

  const begin: Door['begin'] = async (argv, { stdin = '', host = HOST } = {}) => {
    const mark = IDS.next()
    const env = { PATH: '/opt/pennypost/bin:/usr/bin:/bin', MARK: mark, ...gatewayEnvironment(jail) }
    const line = enclose(jail, host, lookWith(disk), { argv, env })
    const said = { stdout: '', stderr: '', status: '' }
    const { ended, kill } = await realSpawner.spawn({
      argv: line.argv,
      env: line.env,
      as,
      cwd: '/',
      stdin: Buffer.from(stdin),
      output: (stream, chunk) => {
        said[stream] += chunk.toString()
      },
      jail: { given: line.given, status: (chunk) => (said.status += chunk.toString()) },
    })
    return {
      ended: ended.then(() => ({ code: readStatus(said.status).exitCode, out: said.stdout, err: said.stderr })),
      kill,
      out: () => said.stdout,
      left: () => realSpawner.withEnvironment(`MARK=${mark}`, undefined),
    }
  }

  return {
    ...{ folder, socket, home: `${root}/legal/home`, uid, listen, begin },
    serve: async (answer) => {
      const server = createServer(answer)
      await listen(server)
      return server
    },
    script: async (text) => (await begin(['node', '--input-type=module', '-e', PRELUDE + text])).ended,
  }
}
