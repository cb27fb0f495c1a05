/** Starts a command of `notify:` with an alert or a message on standard input, as nobody where the daemon is root. */
import type { StatusReport } from '../core/control.ts'
import { counted } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { Clock, Log, Owner, Spawner } from '../system/types.ts'

/** Debian's account for what needs no rights. */
const NOBODY = { uid: 65534, gid: 65534, groups: [] }
const LONGEST_MS = 30_000
/** Enough for the line that says what is wrong. Bytes. */
const KEPT_BYTES = 2_000

type Argv = readonly string[]
type Failing = NonNullable<StatusReport['notify_failing']>[number]

export type Notifier = Readonly<{
  run: (argv: Argv, text: string) => void
  /** Those of these commands that failed when they were last started. No alert tells of them: it would start them again. */
  failing: (commands: readonly Argv[]) => Failing[]
}>

export function notifier(spawner: Spawner, log: Log, clock: Pick<Clock, 'now'>, self: Owner, environment: Readonly<Record<string, string>>): Notifier {
  const failed = new Map<string, Failing>()

  async function start(argv: Argv, text: string): Promise<string | undefined> {
    let said = ''
    const process = await spawner.spawn({
      argv,
      cwd: '/',
      env: environment,
      as: self.uid === 0 ? NOBODY : undefined,
      stdin: Buffer.from(text),
      output: (stream, chunk) => {
        if (stream === 'stderr' && said.length < KEPT_BYTES) said += chunk.toString('utf8', 0, KEPT_BYTES)
      },
    })
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      process.kill('SIGKILL')
    }, LONGEST_MS)
    const { code, signal } = await process.ended
    clearTimeout(timer)
    if (code === 0) return undefined
    const [first] = said.split('\n').filter((line) => line.trim() !== '')
    const how = isLate ? `not ended after ${counted(LONGEST_MS / 1000, 'second')}` : code === null ? `killed by ${signal}` : `exit ${code}`
    return first === undefined ? how : `${how}: ${first.trim()}`
  }

  return {
    run: (argv, text) => {
      void start(argv, text)
        .catch((cause: unknown) => `it cannot be started: ${String(cause)}`)
        .then((why) => {
          const key = JSON.stringify(argv)
          if (why === undefined) return void failed.delete(key)
          failed.set(key, { command: argv, why, at: formatTime(clock.now()) })
          log('warn', 'a notify command failed', { command: argv[0], why })
        })
    },
    failing: (commands) => commands.flatMap((argv) => failed.get(JSON.stringify(argv)) ?? []),
  }
}
