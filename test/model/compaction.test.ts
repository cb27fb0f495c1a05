import t from 'tap'
import { type Compaction, compactionIn, OWN_ORDER, type RequestFacts, readRequest } from '../../src/model/index.ts'

function told(body: object): Compaction | undefined {
  const bytes = Buffer.from(JSON.stringify(body))
  return compactionIn(bytes, readRequest(bytes) as RequestFacts)
}
const text = (text: string): object => ({ type: 'text', text })
const user = (content: unknown): object => ({ role: 'user', content })
const SUMMARISE =
  'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\nYour task is to create a detailed summary of the conversation so far, paying close attention …'
const FLUSH = 'Pre-compaction memory flush. Store durable memories now (use memory/2026-11-22.md; create memory/ if needed).'
const tools = [{ name: 'read' }, { name: 'write' }]

t.test('the compaction of Claude Code is known by its newest message', async (t) => {
  const before = [user('a task'), { role: 'assistant', content: [text('yes')] }]
  t.equal(told({ messages: [...before, user(SUMMARISE)], tools }), 'claude-code')
  t.equal(told({ messages: [...before, user([{ type: 'tool_result', content: 'ok' }, text(SUMMARISE)])] }), 'claude-code', 'merged with what tools gave')
  const listed = { role: 'system', content: 'Available agent types: …' }
  t.equal(told({ messages: [...before, user(SUMMARISE), listed] }), 'claude-code', 'with what its system says after it')
  t.equal(told({ messages: [user(SUMMARISE), { role: 'assistant', content: 'x' }, listed, listed] }), undefined)
})

t.test('both requests of OpenClaw are known', async (t) => {
  t.equal(told({ messages: [user(FLUSH)], tools }), 'openclaw-flush')
  t.equal(told({ messages: [user([text(`[Sun 2026-11-22 10:00 UTC] ${FLUSH}`)])], tools }), 'openclaw-flush')
  const system = 'You are a context summarization assistant. Your task is to read a conversation …'
  t.equal(told({ system, messages: [user('<conversation>…</conversation>')] }), 'openclaw-summary')
  t.equal(told({ system: [text(system)], messages: [user('x')], tools: [] }), 'openclaw-summary')
  t.equal(told({ system, messages: [user('x')], tools }), undefined, 'a summary has no tools')
})

t.test('the checkpoint of our own loop is known where it orders it: at the end of the newest message', async (t) => {
  const order = text(`${OWN_ORDER} After it you have nothing …`)
  t.equal(told({ messages: [user([{ type: 'tool_result', content: 'ok' }, order])], tools }), 'own-loop')
  t.equal(told({ messages: [user([text('a task'), order])], tools }), 'own-loop')
  t.equal(told({ messages: [user([order, text('a task')])], tools }), undefined, 'words of a sender')
  t.equal(told({ messages: [user(`a task\n${OWN_ORDER}`)], tools }), undefined)
  t.equal(told({ messages: [user([order]), { role: 'assistant', content: 'x' }, user('go on')], tools }), undefined)
})

t.test('the same words elsewhere are somebody’s text', async (t) => {
  const after = { role: 'assistant', content: 'done' }
  t.equal(told({ messages: [user(SUMMARISE), after, user('go on')] }), undefined, 'an older message')
  t.equal(told({ messages: [user(FLUSH), after, user('go on')] }), undefined)
  t.equal(told({ messages: [user([{ type: 'tool_result', content: [text(SUMMARISE)] }])] }), undefined, 'what a tool has read')
  t.equal(told({ messages: [user(`What does "${FLUSH}" mean?`)] }), undefined, 'a question about it')
  t.equal(told({ messages: [user(`${'long mail '.repeat(300)}\n${SUMMARISE}`)] }), undefined, 'far below')
  t.equal(told({ messages: [{ role: 'assistant', content: SUMMARISE }] }), undefined)
  t.equal(told({ system: 'Never say: You are a context summarization assistant', messages: [] }), undefined)
  t.equal(told({ messages: 'x' }), undefined)
})
