/** What doctor tries of the running daemon: it answers, and a file really goes through the whole path. */
import { readFileSync } from 'node:fs'
import { counted } from '../core/text.ts'
import { type Finding, note, ok, reasonOf, skipped, wrong } from './check.ts'
import { type Daemon, findDaemon } from './client.ts'
import { Refusal, UNSEEN, UP, unless } from './exit.ts'
import { describeFailing, tryNotify } from './notify.ts'

export async function checkDaemon(root: string): Promise<Finding[]> {
  let daemon: Daemon | undefined
  try {
    daemon = await findDaemon(root)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return [wrong('daemon', cause.message, cause.fix)]
  }
  if (!daemon) return [wrong('daemon', 'it is not running: mail lies where it is dropped', UP)]
  try {
    const { report } = await daemon.ask({ verb: 'status' })
    const findings = [ok('daemon', `pid ${report.pid} answers, ${report.mode} mode, completeness by ${report.completeness}`)]
    if (!report.ready) findings.push(note('daemon', 'it is starting: not every message is known yet', 'penny status'))
    if (report.config.invalid) findings.push(wrong('daemon', 'policies/ cannot be used as it is; what ran before runs on', 'penny alerts'))
    for (const one of report.notify_failing ?? []) findings.push(wrong('notify', describeFailing(one), tryNotify(report, one.command)))
    findings.push(checkMemory(report.pid))
    if (report.not_walled.length > 0)
      findings.push(
        note(
          'walls',
          `${counted(report.not_walled.length, 'agent acts', 'agents act')} with the operator's own uid${report.mode === 'user' ? ': only a daemon that root starts gives each one of its own' : ''}`,
        ),
      )
    return [...findings, await checkDelivery(daemon)]
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return [wrong('daemon', `${reasonOf(cause)}${cause.why === '' ? '' : `: ${cause.why}`}`, cause.fix)]
  }
}

/** By where the kernel says that the daemon is: it moved there when it had made the groups of runs. */
function checkMemory(pid: number): Finding {
  const groups = unless(UNSEEN, () => readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
  if (groups === undefined) return skipped('memory', 'the cgroup of the daemon may not be looked at', '')
  return /^0::\/.*\.service\/daemon$/m.test(groups)
    ? ok('memory', 'of runs: each may use half of what the machine has, all together 80 %')
    : note('memory', 'of runs: not limited, as no cgroups with a memory controller are delegated to the daemon (scripts/systemd has a service that does)')
}

async function checkDelivery(daemon: Daemon): Promise<Finding> {
  try {
    const { ms, steps } = await daemon.ask({ verb: 'canary' })
    return ok('delivery', `a message went through in ${Math.round(ms)} ms: ${steps.map((one) => `${one.step} ${Math.round(one.ms)} ms`).join(', ')}`)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return wrong('delivery', cause.message, cause.fix)
  }
}
