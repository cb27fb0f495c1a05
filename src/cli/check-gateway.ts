/** What doctor tries of the model gateway: the key files, its process, and, when that is wanted, the providers themselves. */
import type { Config } from '../core/config.ts'
import { shellWord } from '../core/text.ts'
import type { Tested } from '../gateway/index.ts'
import { type Finding, note, ok, reasonOf, skipped, wrong } from './check.ts'
import { type Daemon, findDaemon } from './client.ts'
import { plainDisk } from './disk.ts'
import { Refusal } from './exit.ts'
import { judge } from './gateway-judge.ts'

export async function checkGateway(root: string, config: Config, online: boolean): Promise<Finding[]> {
  if (config.providers.size === 0) return []
  const findings = await checkKeys(config)
  findings.push(...checkBare(config))
  let daemon: Daemon | undefined
  try {
    daemon = await findDaemon(root)
    // That none runs is told elsewhere.
    return daemon ? [...findings, ...(await checkProcess(daemon, online))] : findings
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return [...findings, wrong('gateway', reasonOf(cause), cause.fix)]
  }
}

/** As the daemon judges them, which is who runs the organisation. */
async function checkKeys(config: Config): Promise<Finding[]> {
  const { readKeyFile } = await import('../daemon/index.ts')
  return [...config.providers.values()].map(({ name, keyFile }) => {
    const read = readKeyFile(plainDisk(), keyFile, process.geteuid?.() ?? 0)
    if (read === 'being written') return note('gateway', `somebody is writing the key file of ${name}`)
    return 'key' in read
      ? ok('gateway', `the key file of ${name} is there, and nobody else's to read`)
      : wrong('gateway', `no key for ${name}: ${read.why}`, read.fix)
  })
}

/** In user mode; where root runs it, agents without a jail have uids of their own. */
function checkBare(config: Config): Finding[] {
  if (process.geteuid?.() === 0) return []
  return [...config.agents.values()]
    .filter(({ jailed }) => !jailed)
    .map(({ name }) =>
      wrong(
        'gateway',
        `${name} has jail: none and would act with the uid that reads the keys of providers: nothing is started for it`,
        `\${EDITOR:-vi} ${shellWord(`policies/agents/${name}.md`)}   # take jail: none out`,
      ),
    )
}

async function checkProcess(daemon: Daemon, online: boolean): Promise<Finding[]> {
  const { gateway, standing, why } = await daemon.ask({ verb: 'gateway' })
  if (!standing) return [wrong('gateway', `its process does not answer: ${why ?? gateway.why ?? gateway.state}`, 'penny gateway status')]
  const findings = [ok('gateway', `its process answers, pid ${gateway.pid}`)]
  if (!online) return [...findings, skipped('gateway', 'providers are not asked without --online, which goes to the network', 'penny doctor --online')]
  for (const provider of gateway.providers) {
    const { ok: isWell, what, fix = '' } = judge(provider, (await daemon.ask({ verb: 'gateway-test', provider })).tested as Tested, gateway)
    findings.push(isWell ? ok('gateway', `${provider}: ${what}`) : wrong('gateway', `${provider}: ${what}`, fix))
  }
  return findings
}
