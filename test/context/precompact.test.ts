import t from 'tap'
import { type Asked, judgeCompaction, judgeTelling, readOrder } from '../../src/context/index.ts'

const NOW = Date.UTC(2030, 0, 7, 9)
const order = (passed = 80) => ({ message: 'm', session: 's', ordered: new Date(NOW).toISOString(), usedTokens: 810, windowTokens: 1_000, passed })
const seen = (more: object = {}) => ({ nowMs: NOW + 60_000, order: undefined, asked: undefined, checkpoint: undefined, ...more })
const written = (afterMs: number, bytes = 10) => ({ checkpoint: { mtimeMs: NOW + afterMs, bytes } })

t.test('a compaction waits for a checkpoint that is newer than the order and not empty', async (t) => {
  for (const checkpoint of [{}, written(-1), written(0), written(1, 0)]) t.match(judgeCompaction(seen({ order: order(), ...checkpoint })), { kind: 'block' })
  t.same(judgeCompaction(seen({ order: order(), ...written(1) })), { kind: 'pass', why: 'there' })
})

t.test('it waits five times, or until 92 percent', async (t) => {
  let asked: Asked | undefined
  for (let times = 1; times <= 5; times++) {
    const verdict = judgeCompaction(seen({ order: order(), asked }))
    t.match(verdict, { kind: 'block', asked: { times } })
    if (verdict.kind === 'block') asked = verdict.asked
  }
  t.same(judgeCompaction(seen({ order: order(), asked })), { kind: 'pass', why: 'asked' })
  t.same(judgeCompaction(seen({ order: order(92) })), { kind: 'pass', why: 'late' })
})

t.test('where no order stands the first call is one', async (t) => {
  const verdict = judgeCompaction(seen(written(0)))
  t.match(verdict, { kind: 'block', asked: { sinceMs: NOW + 60_000, times: 1 } })
  const { asked } = verdict as { asked: Asked }
  t.match(judgeCompaction(seen({ asked, ...written(60_000) })), { kind: 'block', asked: { sinceMs: NOW + 60_000, times: 2 } })
  t.same(judgeCompaction(seen({ asked, ...written(60_001) })), { kind: 'pass', why: 'there' })
})

t.test('the model is told once of each order, and again when it was asked', async (t) => {
  t.equal(judgeTelling(seen()), undefined, 'nothing is asked for')
  const asked = judgeTelling(seen({ order: order() }))
  t.ok(asked)
  t.equal(judgeTelling(seen({ order: order(), asked })), undefined)
  t.equal(judgeTelling(seen({ order: order(), ...written(1) })), undefined, 'it is there')
  const blocked = judgeCompaction(seen({ order: order(), asked }))
  t.ok(blocked.kind === 'block' && judgeTelling(seen({ order: order(), asked: blocked.asked })))
  t.ok(judgeTelling(seen({ asked: { sinceMs: NOW, times: 1 } })), 'without an order, too')
})

t.test('an order that the daemon did not write is none', async (t) => {
  t.same(readOrder(JSON.stringify(order())), order())
  for (const text of ['', '{}', '[]', 'null', '{"ordered":"never","usedTokens":1,"windowTokens":1,"passed":80}', JSON.stringify({ ...order(), passed: '92' })])
    t.equal(readOrder(text), undefined, text)
})
