import { spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, statfsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { counted, shellWord } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { boundLog, endOf } from '../system/logfile.ts'
import type { LogLevel } from '../system/types.ts'
import { fixOfBar } from './bar.ts'
import { findDaemon } from './client.ts'
import { type Call, type Command, expectWords, flag, textOption } from './command.ts'
import { codeOf, EXIT, refuse, UNSEEN, unless } from './exit.ts'
import { fixOf, say, sayJson, tell } from './print.ts'
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
    strict: { type: 'boolean', about: 'refuse to start where owners or modes deviate that no agent can change' },
    'log-level': { type: 'string', value: 'LEVEL', about: `one of ${LEVELS.join(' ')}; default: info` },
  },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const word = textOption(call, 'log-level') ?? 'info'
    const logLevel = LEVELS.find((one) => one === word)
    if (!logLevel) refuse(EXIT.usage, `there is no log level ${JSON.stringify(word)}`, `it is one of ${LEVELS.join(' ')}`, 'penny up --log-level info')
    needPolicies(root)
    const strict = flag(call, 'strict')
    if (strict) await refuseDeviations(root)
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
  const log =
    unless(['EACCES', 'EPERM'], () => {
      boundLog(logFile)
      return openSync(logFile, 'a', 0o640)
    }) ??
    refuse(
      EXIT.notPermitted,
      `you may not write ${logFile}`,
      'a part of the organisation belongs to somebody else',
      'penny up   # in the foreground it says what, and how to mend it',
    )
  const begun = fstatSync(log).size
  const program = fileURLToPath(new URL('./penny.js', import.meta.url))
  const args = ['--disallow-code-generation-from-strings', program, 'up', '--root', root, '--log-level', logLevel, ...(strict ? ['--strict'] : [])]
  const child = spawn(process.execPath, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', log],
    // A supervisor that started this command did not start that daemon, and would not believe it.
    env: { UV_THREADPOOL_SIZE: '16', ...call.surroundings.env, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined, WATCHDOG_PID: undefined },
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
    if (ended) failed(logFile, begun, ended.code, ended.signal)
    const daemon = await findDaemon(root)
    const report = daemon && (await daemon.ask({ verb: 'status' })).report
    // The first daemon's answer is no answer of ours: ours is about to be refused.
    if (!report?.ready || report.pid !== child.pid) continue
    child.unref()
    if (call.json) sayJson(call, { pid: report.pid, root, log: logFile })
    else say(call, `${report.organisation} admits mail (pid ${report.pid}, ${counted(report.agents, 'agent')}), log: ${logFile}`)
    await warnOfJails(call, root)
    return EXIT.ok
  }
  child.unref()
  return refuse(EXIT.tryAgain, 'the daemon has started, but does not admit mail yet', `${ADMITS_WITHIN_MS / 1000} s have passed`, `tail ${shellWord(logFile)}`)
}

/** Mail goes on without jails, and nothing is started: whoever starts the daemon learns it before the first task waits. */
async function warnOfJails(call: Call, root: string): Promise<void> {
  const [{ faultOfMachine }, { loadPolicies }] = await Promise.all([import('./check-jail.ts'), import('./policies.ts')])
  const { env, uid } = call.surroundings
  const fault = await faultOfMachine(layoutOf(root), loadPolicies(root), env['PATH'] ?? '/usr/bin:/bin', { uid, gid: process.getegid?.() ?? uid })
  if (fault) tell(call, `no jail can be made on this machine (${fault.why}), so no agent is started   fix: ${fixOf(call.surroundings, fault.fix)}`)
}

/** A failing start: as the daemon said it, else with what its log said last; a full disk takes neither whole. */
function failed(logFile: string, begun: number, code: number | null, signal: string | null): never {
  const exit = code === null || code === 0 ? EXIT.bug : code
  const said = endOf(logFile, begun).toString('utf8').trimEnd().split('\n')
  const [, fix] = /^ *fix: (.+)$/.exec(said.at(-1) ?? '') ?? []
  if (fix === undefined && (exit === EXIT.cannotWrite || isFull(logFile)))
    refuse(exit, 'the daemon did not start', `the disk is full, or may not be written: what it said did not fit into its log, ${logFile}`, 'df -h; df -i')
  if (fix === undefined)
    refuse(
      exit,
      `the daemon did not start (${signal ?? `exit ${code}`})`,
      said.slice(-10).join('\n'),
      `penny up   # in the foreground; the log is ${shellWord(logFile)}`,
    )
  // What it said last, behind the lines of its log.
  const why = said.slice(said.findLastIndex((line) => line.startsWith('{')) + 1, -1)
  return refuse(exit, 'the daemon did not start', why.map((line) => line.replace(/^penny: |^ +(why: )?/, '')).join('\n'), fix)
}

function isFull(path: string): boolean {
  const { bavail, ffree, files } = statfsSync(path)
  return bavail === 0 || (files > 0 && ffree === 0)
}

/** Refuses (77) where this user may not read what the daemon would have to. */
function needPolicies(root: string): void {
  const file = `${root}/policies/org.yaml`
  try {
    closeSync(openSync(file, 'r'))
  } catch (cause) {
    // What is not there, or no file, the daemon says itself.
    if (codeOf(cause) === 'EACCES')
      refuse(EXIT.notPermitted, `you may not read ${file}`, 'who starts the daemon of an organisation reads its policies', fixOfBar(file))
  }
}

/** Refuses (78) owners and modes that deviate where agents change none: without --strict the daemon mends them. The way to the root it judges itself. */
async function refuseDeviations(root: string): Promise<void> {
  const layout = layoutOf(root)
  const journal = layout.private('journal')
  // A daemon that begins its journal has made the folders right; nothing is given to anybody before.
  if (!existsSync(journal) || unless(UNSEEN, () => readdirSync(journal))?.length === 0) return
  const [{ checkDaemonsOwn }, { loadPolicies }] = await Promise.all([import('./check-owners.ts'), import('./policies.ts')])
  const all = checkDaemonsOwn(layout, loadPolicies(root)).filter(({ outcome }) => outcome === 'wrong')
  const [first] = all
  if (!first) return
  const more = all.length > 1 ? `and ${counted(all.length - 1, 'more deviation')}` : 'this is the only deviation'
  refuse(EXIT.badConfiguration, first.what, `${more}; without --strict it would be mended`, first.fix)
}
