/** Starts a command of `notify:` with an alert or a message on standard input, as nobody where the daemon is root. */
import type { Log, Owner, Spawner } from '../system/types.ts'

/** Debian's account for what needs no rights. */
const NOBODY = { uid: 65534, gid: 65534, groups: [] }
const LONGEST_MS = 30_000

export function notifier(
  spawner: Spawner,
  log: Log,
  self: Owner,
  environment: Readonly<Record<string, string>>,
): (argv: readonly string[], text: string) => void {
  return (argv, text) => {
    spawner
      .spawn({ argv, cwd: '/', env: environment, as: self.uid === 0 ? NOBODY : undefined, stdin: Buffer.from(text), output: () => undefined })
      .then(async (process) => {
        const timer = setTimeout(() => process.kill('SIGKILL'), LONGEST_MS)
        const { code } = await process.ended
        clearTimeout(timer)
        if (code !== 0) log('warn', 'a notify command failed', { command: argv[0], code: code ?? -1 })
      })
      .catch((cause: unknown) => log('warn', 'a notify command cannot be started', { command: argv[0], why: String(cause) }))
  }
}
