import { Buffer } from 'node:buffer'
import t from 'tap'
import type { Draft } from '../../src/core/message.ts'
import { parseMessage, readDraft } from '../../src/message/index.ts'

const LIMITS = { frontMatterBytes: 16 * 1024 }

function read(...lines: string[]): { draft: Draft; told: string[]; whats: string[]; nears: (string | undefined)[] } {
  const parsed = parseMessage(Buffer.from(`---\n${lines.join('\n')}\n---\nbody\n`), LIMITS)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  const { draft, complaints } = readDraft(parsed.message)
  return {
    draft,
    told: complaints.map(({ code, spot }) => `${code} ${spot?.line}`),
    whats: complaints.map(({ what }) => what),
    nears: complaints.map(({ near }) => near),
  }
}

t.test('a whole draft', async (t) => {
  const { draft, told } = read(
    'ref: q3-review.1',
    'from: pmo',
    'to: [legal, "@revenue"]',
    'cc: cfo',
    'subject: " Review: the agreement "',
    'kind: note',
    'priority: P1',
    'status: open',
    'due: 2026-11-30',
    'not_before: 2026-11-21T09:00:00+01:00',
    'expires: 2026-12-01 17:00',
    'in_reply_to: 019a0000-0000-7000-8000-000000000000',
    'settles: no',
    'attach: [contract.pdf, sub/b.txt]',
    'x-anything: { at: [all] }',
  )
  t.strictSame(told, [])
  t.strictSame(draft, {
    ref: 'q3-review.1',
    claimedFrom: 'pmo',
    claimedStatus: 'open',
    to: ['legal', '@revenue'],
    cc: ['cfo'],
    subject: 'Review: the agreement',
    kind: 'note',
    priority: 'P1',
    due: '2026-11-30',
    notBefore: '2026-11-21T09:00:00+01:00',
    expires: '2026-12-01 17:00',
    inReplyTo: '019a0000-0000-7000-8000-000000000000',
    settles: 'no',
    attach: ['contract.pdf', 'sub/b.txt'],
  })
})

t.test('a text without front matter is a task that says nothing', async (t) => {
  const parsed = parseMessage(Buffer.from('hello'), LIMITS)
  if (!parsed.ok) throw new Error('no message')
  const { draft, complaints } = readDraft(parsed.message)
  t.match(draft, { to: [], cc: [], subject: undefined, kind: 'task', priority: undefined, attach: [] })
  t.strictSame(complaints, [])
})

t.test('recipients as people write them', async (t) => {
  t.strictSame(read('to: legal').draft.to, ['legal'])
  t.strictSame(read('to: legal, cfo ,"@revenue"').draft.to, ['legal', 'cfo', '"@revenue"'])
  t.strictSame(read('to: "@revenue, legal"').draft.to, ['@revenue', 'legal'])
  t.strictSame(read('to:', '  - legal', '  - "@all"').draft.to, ['legal', '@all'])
  t.strictSame(read('to: [on, 17, 1e3, true]').draft.to, ['on', '17', '1e3', 'true'])
  for (const nothing of ['to:', 'to: ""', 'to: []', 'to: ~', 'to: ","']) t.strictSame(read(nothing).draft.to, [], nothing)
  t.strictSame(read('to: { legal: 1 }').told, ['bad-value 2'])
  t.strictSame(read('to: [[legal]]').told, ['bad-value 2'])
  t.strictSame(read('to: [legal, ~]').told, ['bad-value 2'])
})

t.test('what YAML takes for numbers and booleans is text where text is meant', async (t) => {
  const { draft, told } = read('to: x', 'subject: 2026', 'ref: 017', 'in_reply_to: 1e3', 'priority: 1', 'from: true', 'attach: [0x10, 1.50]')
  t.strictSame(told, [])
  t.match(draft, { subject: '2026', ref: '017', inReplyTo: '1e3', priority: '1', claimedFrom: 'true', attach: ['0x10', '1.50'] })
})

t.test('every complaint is told at once, in the order of the text', async (t) => {
  const { told, nears } = read('prioirty: high', 'To: legal', 'id: 019a', 'status: done', 'result: x', 'attest: y', 'kind: notes', 'zzzzzz: 1')
  t.strictSame(told, ['unknown-key 2', 'unknown-key 3', 'forged-sender 4', 'bad-value 5', 'bad-value 6', 'bad-value 7', 'bad-value 8', 'unknown-key 9'])
  t.strictSame(nears, ['priority', 'to', undefined, undefined, undefined, undefined, 'note', undefined])
})

t.test("a sender may not write the daemon's or the holder's keys", async (t) => {
  for (const key of ['id', 'via', 'origin', 'thread', 'answered', 'created', 'updated', 'attachments'])
    t.strictSame(read('to: x', `${key}: y`).told, ['forged-sender 3'], key)
  for (const key of ['result', 'progress', 'blocked_on']) t.strictSame(read('to: x', `${key}: y`).told, ['bad-value 3'], key)
  for (const status of ['in_progress', 'blocked', 'done', 'failed', 'cancelled', 'Open', 'true', '[open]'])
    t.strictSame(read('to: x', `status: ${status}`).told, ['bad-value 3'], status)
  t.strictSame(read('to: x', 'from: y').told, [], 'who it is from is judged by who knows')
  t.strictSame(read('to: x', 'request: y', 'attest: z').told, ['bad-value 3', 'bad-value 4'])
})

t.test('values that a key cannot have', async (t) => {
  const bad = [
    'subject: [a]',
    'subject: "two\\nlines"',
    'subject: "bell\\a"',
    `subject: ${'x'.repeat(201)}`,
    'ref: a b',
    `ref: ${'x'.repeat(65)}`,
    'kind: alert',
    'kind: approval',
    'priority: [high]',
    'due: tomorrow',
    'due: 2026-02-29',
    'due: 2026',
    'expires: 25:00',
    'not_before: 2026-11-30T24:00:00Z',
    'in_reply_to: "../x"',
    'settles: open # without what it settles',
    'attach: /etc/passwd',
    'attach: ../x',
    'attach: [a/../../x]',
    'attach: ["a\\nb"]',
    'attach: ["a\\0b"]',
    'attach: [""]',
    'attach: [sub/]',
    'attach: { name: x }',
    'attach: [[x]]',
    `attach: ${'x/'.repeat(512)}x`,
    `attach: ${'x'.repeat(256)}`,
    `attach: [sub/${'ä'.repeat(128)}/x]`,
  ]
  for (const line of bad) t.strictSame(read('to: x', line).told, ['bad-value 3'], line)
  t.strictSame(read('settles: yes', 'in_reply_to: x').told, ['bad-value 2'])
  t.strictSame(read(`subject: ${'😀'.repeat(200)}`).told, [], '200 characters are 200 characters')
  t.equal(read('subject: >', '  folded over', '  two lines').draft.subject, 'folded over two lines')
  t.strictSame(read(`attach: ${'ä'.repeat(127)}x`).draft.attach, [`${'ä'.repeat(127)}x`], 'as long as a name can be')
  t.strictSame(read('attach: "a, b.pdf"').draft.attach, ['a, b.pdf'], 'a comma may be part of a name')
})

t.test('what is shown of a bad value is safe to show', async (t) => {
  t.notMatch(read('kind: "\\e[2J"').whats[0], '\u001b')
  t.strictSame(read('to: x', '"x-\\e[2J": y').told, ['bad-value 3'])
  t.ok((read(`kind: ${'x'.repeat(5000)}`).whats[0] ?? '').length < 300)
})
