import t from 'tap'
import { loadConfig, readPolicies } from '../../src/config/index.ts'
import { GUIDE_CHARACTERS, guideText } from '../../src/daemon/guide.ts'
import { realSystem } from '../../src/system/index.ts'

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
