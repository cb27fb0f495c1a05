import { existsSync } from 'node:fs'
import { layoutOf } from '../mailbox/index.ts'
import { findDaemon } from './client.ts'
import { type Command, expectWords, textOption } from './command.ts'
import { EXIT, Refusal, refuse } from './exit.ts'
import { say, sayJson } from './print.ts'
import { rootOf } from './root.ts'
import { needDuration, pause } from './times.ts'

/** SIGTERM ends the daemon within 2 s (contract, page 4); a slow disk gets more. Milliseconds. */
const ENDS_WITHIN_MS = 20_000

export const command: Command = {
  summary: 'stops the daemon',
  usage: ['down [--drain 10m]'],
  examples: [
    ['down', 'at once; runs are ended, and started again next time'],
    ['down --drain 10m', 'lets runs finish, for at most ten minutes'],
  ],
  options: { drain: { type: 'string', value: 'TIME', about: 'how long runs may take to finish' } },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const drain = textOption(call, 'drain')
    const drainMs = drain === undefined ? 0 : needDuration(drain, 'penny down --drain 10m')
    const daemon =
      (await findDaemon(root)) ??
      refuse(
        EXIT.noDaemon,
        `no daemon runs on ${root}: there is nothing to stop`,
        `nobody answers at ${layoutOf(root).daemonSocket}`,
        'penny paths   # says which organisation is meant',
      )
    const { report } = await daemon.ask({ verb: 'status' })
    try {
      await daemon.ask({ verb: 'stop', drainMs })
    } catch (cause) {
      // It may be gone before its answer is read.
      if (!(cause instanceof Refusal && cause.exit === EXIT.noDaemon)) throw cause
    }
    for (const since = Date.now(); existsSync(`/proc/${report.pid}`) && (await findDaemon(root)); await pause(25)) {
      if (Date.now() - since > drainMs + ENDS_WITHIN_MS)
        refuse(EXIT.tryAgain, 'the daemon does not end', `pid ${report.pid} was asked to`, `kill ${report.pid}`)
    }
    if (call.json) sayJson(call, { pid: report.pid, state: 'stopped' })
    else say(call, `stopped (pid ${report.pid})`)
    return EXIT.ok
  },
}
