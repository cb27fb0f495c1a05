import t from 'tap'
import { loadConfig, readPolicies } from '../../src/config/index.ts'
import { GUIDE_CHARACTERS, guideText } from '../../src/daemon/guide.ts'
import { realSystem } from '../../src/system/index.ts'
import { configOf } from '../config/organisation.ts'

t.test('what every agent of the example is told fits in 500 tokens of four characters', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const loaded = loadConfig(readPolicies(disk, 'policies'), 'policies')
  if (!loaded.ok) throw new Error('the example does not load')
  t.equal(loaded.config.agents.size, 30)
  for (const agent of loaded.config.agents.values()) {
    const text = guideText(loaded.config, agent)
    t.ok(text.length <= GUIDE_CHARACTERS, `${agent.name}: ${text.length} characters`)
    t.match(text, `You are ${agent.name} of acme; your manager is ${agent.manager}`)
    for (const { name } of loaded.config.priorities.rules) t.match(text, name)
  }
})

t.test('the example in the guide has a priority of the scheme, also where the scheme has other words', async (t) => {
  const config = configOf({ 'priorities.yaml': 'now: { claim_within: 1m, finish_within: 5m }\nlater: { claim_within: 1d, finish_within: 9d }\n' })
  const [agent] = config.agents.values()
  if (!agent) throw new Error('no agent')
  t.match(guideText(config, agent), `\n    priority: ${config.priorities.fallback.name}\n`)
  t.notMatch(guideText(config, agent), 'normal')
})
