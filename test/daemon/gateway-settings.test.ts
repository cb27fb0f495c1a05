import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { settingsOf } from '../../src/daemon/gateway-settings.ts'
import { configOf } from '../config/organisation.ts'

const AGENTS = {
  claude: 'runner: { builtin: claude }\n',
  own: 'runner: { builtin: anthropic }\n',
  program: 'runner: { command: [claude] }\n',
  nobody: '',
  shorter: 'runner: { builtin: claude }\nhold: 30s\n',
  longer: 'hold: 4m\n',
  apart: 'network: none\n',
}

t.test('a request is held for 100 s, for Claude Code as it comes with us 240 s, and for as long as the agent’s file says', async (t) => {
  const agents = Object.entries(AGENTS).map(([name, lines]) => [`agents/${name}.md`, `---\n${lines}---\n`])
  const without = { 'agents/ceo.md': undefined, 'agents/cfo.md': undefined, 'agents/legal.md': undefined, 'groups/finance.yaml': undefined }
  const config = configOf({ ...without, ...Object.fromEntries(agents) })
  const identities = { uidOf: (name: Name) => (name === 'own' ? 7 : undefined), operatorUids: [1234] }
  const settings = settingsOf(config, identities, () => [])
  t.same(Object.fromEntries(settings.callers.map(({ agent, holdMs }) => [agent, holdMs / 1_000])), {
    claude: 240,
    own: 100,
    program: 100,
    nobody: 100,
    shorter: 30,
    longer: 240,
  })
  t.same(settings.operatorUids, [1234])
})
