/** Commands of `notify:` that fail: what is wrong, and how to see it. */
import type { StatusReport } from '../core/control.ts'
import { shellWord, showSafely } from '../core/text.ts'

type Failing = NonNullable<StatusReport['notify_failing']>[number]

export function describeFailing({ command, why }: Failing): string {
  return `a command of notify: fails, so people are not told: ${showSafely(command[0] ?? '')}: ${showSafely(why)}`
}

/** The same, as the daemon starts it: in /, and as nobody where it is root. */
export function tryNotify({ mode }: Pick<StatusReport, 'mode'>, command: readonly string[]): string {
  return `(cd / && echo test | ${mode === 'system' ? 'sudo -u nobody ' : ''}${command.map(shellWord).join(' ')})`
}
