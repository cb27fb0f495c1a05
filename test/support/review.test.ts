import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Ask, ask, clientOf, started } from './provider/client.ts'
import { createReview, type Review } from './review.ts'

type Messages = Ask['messages']
type Forget = (known: number, messages: Messages) => Messages | undefined

/** The least runner there can be; `forget` takes its context away. */
async function work(t: Test, review: Review, forget: Forget): Promise<string[]> {
  const home = t.testdir({ 'message.md': '---\nstatus: in_progress\n---\n' })
  mkdirSync(join(home, 'sections'))
  for (const [name, text] of Object.entries(review.files)) writeFileSync(join(home, 'sections', name), text)
  const provider = await started(t)
  provider.control.script(review.script)
  const client = clientOf(provider)
  const tools = ['Bash', 'Read'].map((name) => ({ name, input_schema: { type: 'object' as const } }))
  let messages: Messages = [{ role: 'user', content: review.task }]
  for (;;) {
    const { content, stop_reason: why } = await client.messages.create({ ...ask(), messages, tools, stream: false })
    if (why === 'end_turn') break
    messages.push({ role: 'assistant', content })
    const results = content.flatMap((block) => {
      if (block.type !== 'tool_use') return []
      const { command, file_path: path } = block.input as { command?: string; file_path?: string }
      const env = { PENNY_MESSAGE: 'message.md', PENNY_ID: 'id', HOME: home }
      const output = command === undefined ? readFileSync(join(home, path ?? ''), 'utf8') : execFileSync('sh', ['-c', command], { cwd: home, env })
      return [{ type: 'tool_result' as const, tool_use_id: block.id, content: output.toString() }]
    })
    messages.push({ role: 'user', content: results })
    messages = forget(review.steps.filter(({ kind }) => kind === 'record').length, messages) ?? messages
  }
  t.match(readFileSync(join(home, 'message.md'), 'utf8'), 'progress: "all sections reviewed"')
  return readFileSync(join(home, 'decisions.md'), 'utf8').trimEnd().split('\n')
}

t.test('whoever forgets nothing reads each section once and decides as foretold', async (t) => {
  const review = createReview()
  t.same(await work(t, review, () => undefined), review.decisions)
  t.same(review.reads(), Array(12).fill(1))
})

t.test('whoever loses its context does it all again', async (t) => {
  const review = createReview()
  let lost = false
  const lines = await work(t, review, (known, messages) => {
    if (lost || known < 5) return undefined
    lost = true
    return messages.slice(0, 1)
  })
  t.same(lines, [...review.decisions.slice(0, 5), ...review.decisions])
  t.same(review.reads(), [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1])
})

t.test('a checkpoint, written when it is ordered, is all that it needs to go on', async (t) => {
  const review = createReview({ name: 'act' })
  let orders = 0
  const lines = await work(t, review, (known, messages) => {
    if (orders === 0 && known === 7) {
      orders++
      return [...messages, { role: 'user', content: 'Write a checkpoint now.' }]
    }
    if (orders === 1) {
      orders++
      return [{ role: 'user', content: `${review.task}${readFileSync(join(t.testdirName, 'checkpoint.md'), 'utf8')}` }]
    }
    return undefined
  })
  t.same(lines, review.decisions)
  t.same(review.reads(), Array(12).fill(1))
  t.match(
    review.steps,
    review.steps.map((step) => (step.kind === 'checkpoint' ? { kind: 'checkpoint', known: 7 } : {})),
  )
  t.equal(review.steps.filter(({ kind }) => kind === 'checkpoint').length, 1)
})
