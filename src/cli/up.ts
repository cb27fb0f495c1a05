import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { counted, shellWord } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { boundLog, endOf } from '../system/logfile.ts'
import type { LogLevel } from '../system/types.ts'
import { findDaemon } from './client.ts'
import { type Call, type Command, expectWords, flag, textOption } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { say, sayJson, tell } from './print.ts'
import { rootOf } from './root.ts'
import { pause } from './times.ts'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']
/** 100,000 messages are known in 5 s (contract, page 4); a slow disk gets much more. Milliseconds. */
const ADMITS_WITHIN_MS = 120_000

export const command: Command = {
  summary: 'starts the daemon, in the foreground or the background',
  usage: ['up [--detach] [--strict] [--log-level debug|info|warn|error]'],
  examples: [
    ['up', 'in the foreground, for a supervisor; ^C ends it'],
    ['up --detach', 'in the background; returns once mail is admitted'],
  ],
  options: {
    detach: { type: 'boolean', about: 'in the background, log in .penny/run/daemon.log' },
    strict: { type: 'boolean', about: 'refuse to start where owners or modes are not as they should be' },
    'log-level': { type: 'string', value: 'LEVEL', about: `one of ${LEVELS.join(' ')}; default: info` },
  },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const word = textOption(call, 'log-level') ?? 'info'
    const logLevel = LEVELS.find((one) => one === word)
    if (!logLevel) refuse(EXIT.usage, `there is no log level ${JSON.stringify(word)}`, `it is one of ${LEVELS.join(' ')}`, 'penny up --log-level info')
    const strict = flag(call, 'strict')
    if (flag(call, 'detach')) return detach(call, root, logLevel, strict)
    const { runDaemon } = await import('../daemon/index.ts')
    return runDaemon({ root, logLevel, strict })
  },
}

async function detach(call: Call, root: string, logLevel: LogLevel, strict: boolean): Promise<number> {
  const layout = layoutOf(root)
  mkdirSync(layout.own, { recursive: true, mode: 0o711 })
  mkdirSync(layout.private('run'), { recursive: true, mode: 0o750 })
  const logFile = `${layout.private('run')}/daemon.log`
  boundLog(logFile)
  const log = openSync(logFile, 'a', 0o640)
  const begun = fstatSync(log).size
  const program = fileURLToPath(new URL('./penny.js', import.meta.url))
  const args = ['--disallow-code-generation-from-strings', program, 'up', '--root', root, '--log-level', logLevel, ...(strict ? ['--strict'] : [])]
  const child = spawn(process.execPath, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', log],
    env: { UV_THREADPOOL_SIZE: '16', ...call.surroundings.env },
  })
  closeSync(log)
  let ended: { code: number | null; signal: string | null } | undefined
  child.once('exit', (code, signal) => {
    ended = { code, signal }
  })
  child.once('error', (cause) => {
    ended = { code: EXIT.bug, signal: cause.message }
  })
  for (const since = Date.now(); Date.now() - since < ADMITS_WITHIN_MS; await pause(50)) {
    if (ended) return failed(call, logFile, begun, ended.code, ended.signal)
    const daemon = await findDaemon(root)
    const report = daemon && (await daemon.ask({ verb: 'status' })).report
    // The first daemon's answer is no answer of ours: ours is about to be refused.
    if (!report?.ready || report.pid !== child.pid) continue
    child.unref()
    if (call.json) sayJson(call, { pid: report.pid, root, log: logFile })
    else say(call, `${report.organisation} admits mail (pid ${report.pid}, ${counted(report.agents, 'agent')}), log: ${logFile}`)
    return EXIT.ok
  }
  child.unref()
  return refuse(EXIT.tryAgain, 'the daemon has started, but does not admit mail yet', `${ADMITS_WITHIN_MS / 1000} s have passed`, `tail ${shellWord(logFile)}`)
}

/** A failing start, with what the log said last. */
function failed(call: Call, logFile: string, begun: number, code: number | null, signal: string | null): number {
  const lines = endOf(logFile, begun).toString('utf8').trimEnd().split('\n').slice(-10)
  for (const line of lines) tell(call, line)
  tell(call, `the daemon did not start (${signal ?? `exit ${code}`})`)
  tell(call, `  fix: penny up    (in the foreground; the log is ${shellWord(logFile)})`)
  return code === null || code === 0 ? EXIT.bug : code
}
