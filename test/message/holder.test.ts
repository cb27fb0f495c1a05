import { Buffer } from 'node:buffer'
import t from 'tap'
import { type HolderPart, parseMessage, readHolder } from '../../src/message/index.ts'

function read(...lines: string[]): HolderPart {
  const parsed = parseMessage(Buffer.from(`---\n${lines.join('\n')}\n---\nbody\n`), { frontMatterBytes: 16 * 1024 })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  return readHolder(parsed.message)
}

t.test('what a holder may change', async (t) => {
  const part = read('id: 019a', 'status: blocked', 'result: 42', 'progress: |', '  half', 'blocked_on: [a, b]', 'x-b: 1', 'updated: 2026-11-21T06:44:00.123Z')
  t.match(part, {
    id: '019a',
    status: 'blocked',
    badStatus: undefined,
    result: '42',
    progress: 'half\n',
    blockedOn: ['a', 'b'],
    updated: '2026-11-21T06:44:00.123Z',
  })
  t.strictSame({ ...part.extra }, { 'x-b': 1 })
  t.match(read('id: x', 'blocked_on: the lawyer'), { blockedOn: ['the lawyer'], status: undefined, badStatus: undefined, result: undefined })
  t.match(read('id: x', 'blocked_on: a, b').blockedOn, ['a', 'b'])
  t.strictSame(read('id: x', 'blocked_on:').blockedOn, [])
  t.strictSame(read('id: x', 'blocked_on: { a: 1 }').blockedOn, ['{"a":"1"}'])
})

t.test('a status that is none is told as it stands', async (t) => {
  for (const [line, bad] of [
    ['status: Done', 'Done'],
    ['status: true', 'true'],
    ['status: 1e3', '1e3'],
    ['status: [done]', '["done"]'],
  ] as const)
    t.match(read('id: x', line), { status: undefined, badStatus: bad })
  t.match(read('id: x', 'status:'), { status: undefined, badStatus: undefined })
})

t.test('a result of another shape is not lost', async (t) => {
  t.equal(read('id: x', 'result: { sum: 017, ok: yes }').result, '{"sum":"017","ok":"yes"}')
  t.equal(read('id: x', 'result: [a, b]').result, '["a","b"]')
})

t.test('the protected part is the same through all that a holder may do, and through nothing else', async (t) => {
  const base = ['id: 019a', 'from: pmo', 'to: [legal, cfo]', 'status: open', 'priority: high']
  const same = read(...base).protectedPart
  t.equal(
    read(
      '# note',
      'status: done',
      'result: x',
      'progress: y',
      'blocked_on: z',
      'x-q: [1]',
      'updated: now',
      'to: ["legal", cfo]',
      "'from': pmo",
      'priority: high # c',
      'id: "019a"',
    ).protectedPart,
    same,
  )
  for (const change of [
    ['id: 019b', ...base.slice(1)],
    base.slice(0, 4),
    [...base, 'due: 2026-11-30'],
    [...base, '__proto__: x'],
    [...base, 'X-q: x'],
    ['id: 019a', 'from: pmo', 'to: [cfo, legal]', 'priority: high'],
  ]) {
    t.not(read(...change).protectedPart, same, change.join(' / '))
  }
})
