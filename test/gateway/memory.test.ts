import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createMemory } from '../../src/gateway/memory.ts'
import { usage } from '../model/usage.ts'

const [quiet, loud] = ['quiet' as Name, 'loud' as Name]
const body = Buffer.from(JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 1_000, messages: [{ role: 'user', content: 'x'.repeat(8_000) }] }))

t.test('sessions that one agent makes up make nothing forgotten that another showed', async (t) => {
  const memory = createMemory(() => 0)
  const read = (agent: Name, session: string) => memory.read(agent, 'messages', body, { 'x-claude-code-session-id': session })
  memory.learn(quiet, read(quiet, 'real'), usage({ inputTokens: 1_000, outputTokens: 7 }))
  t.equal(read(quiet, 'real').estimate.outputTokens, 7)
  for (let n = 0; n < 12_000; n++) memory.learn(loud, read(loud, `made-up-${n}`), usage({ inputTokens: 1_000, outputTokens: 900 }))
  t.equal(read(quiet, 'real').estimate.outputTokens, 7)
  t.equal(read(loud, 'new').estimate.outputTokens, 900, 'what it showed of itself counts for it')
})
