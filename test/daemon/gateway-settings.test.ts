import t from 'tap'
import type { Agent, Config } from '../../src/core/config.ts'
import type { Name } from '../../src/core/names.ts'
import { settingsOf } from '../../src/daemon/gateway-settings.ts'
import type { Identities } from '../../src/daemon/identities.ts'

t.test('a request is held for 100 s, of Claude Code for 240 s, or as long as the file of its agent says', async (t) => {
  const agents: Partial<Agent>[] = [
    { name: 'plain' as Name },
    { name: 'ours' as Name, runner: { builtin: 'anthropic' } as never },
    { name: 'claude' as Name, runner: { builtin: 'claude' } as never },
    { name: 'told' as Name, runner: { builtin: 'claude' } as never, holdMs: 30_000 },
  ]
  const org = { gateway: { host: '127.0.0.1', port: 1 }, timezone: 'UTC', retentionMs: 1 }
  const config = {
    org,
    providers: new Map(),
    agents: new Map(agents.map((one) => [one.name, { jailed: true, network: 'gateway', ...one }])),
  } as unknown as Config
  const { callers } = settingsOf(config, { uidOf: () => undefined } as unknown as Identities, () => [])
  t.same(
    callers.map(({ agent, holdMs }) => [agent, holdMs / 1_000]),
    [
      ['plain', 100],
      ['ours', 100],
      ['claude', 240],
      ['told', 30],
    ],
  )
})
