import t from 'tap'
import { rewrite } from '../../src/message/index.ts'

const LETTER = `---
# from the board
to: [legal, "cfo"]   # both
"status" :  open     # the holder's
due:
progress: |
  half

  way
# about the result
result: "a
  b" # two lines
blocked_on:
  - one # first
  - two

x-last: 017
---

---js
body  \r
`

t.test('one key changes one line', async (t) => {
  t.equal(rewrite(LETTER, { status: 'done' }), LETTER.replace(':  open     #', ':  done     #'))
  t.equal(rewrite(LETTER, { due: '2026-11-30' }), LETTER.replace('due:', 'due: 2026-11-30'))
  t.equal(rewrite(LETTER, { to: 'legal' }), LETTER.replace('[legal, "cfo"]', 'legal'))
  t.equal(rewrite(LETTER, { 'x-last': '017' }), LETTER.replace('017', '"017"'), 'a string that reads like a number is quoted')
})

t.test('values over several lines are replaced and removed whole', async (t) => {
  t.equal(rewrite(LETTER, { progress: 'done' }), LETTER.replace('|\n  half\n\n  way', 'done'))
  t.equal(rewrite(LETTER, { progress: undefined }), LETTER.replace('progress: |\n  half\n\n  way\n', ''))
  t.equal(rewrite(LETTER, { result: 'c' }), LETTER.replace('"a\n  b" # two lines', 'c'))
  t.equal(rewrite(LETTER, { blocked_on: ['three'] }), LETTER.replace('blocked_on:\n  - one # first\n  - two', 'blocked_on: [three]'))
  t.equal(rewrite(LETTER, { status: 'two\nlines' }), LETTER.replace(":  open     # the holder's", ":  |-     # the holder's\n  two\n  lines"))
})

t.test('a value that grows lines and the removal of the key under it do not meet', async (t) => {
  t.equal(rewrite('---\na: x\nb: y\nc: z\n---\n', { b: undefined, a: 'two\nlines' }), '---\na: |-\n  two\n  lines\nc: z\n---\n')
})

t.test('new keys come last, in the order given', async (t) => {
  t.equal(rewrite('---\nto: x\n# end\n---\nbody', { id: '019a', from: 'pmo', cc: undefined }), '---\nto: x\n# end\nid: 019a\nfrom: pmo\n---\nbody')
  t.equal(rewrite('---\r\nto: x\r\n---\r\nbody', { result: 'a\nb\n' }), '---\r\nto: x\r\nresult: |\r\n  a\r\n  b\r\n---\r\nbody')
  t.equal(rewrite('---\n  to: x\n  cc: 1\n---\n', { id: 'a\nb' }), '---\n  to: x\n  cc: 1\n  id: |-\n    a\n    b\n---\n', 'indented as the others')
})

t.test('a text without front matter gets one, and keeps every byte', async (t) => {
  t.equal(rewrite('\n\nhello', { id: 'a' }), '---\nid: a\n---\n\n\nhello')
  t.equal(rewrite('\ufeffhello\r\n', { id: 'a' }), '\ufeff---\r\nid: a\r\n---\r\nhello\r\n')
})

t.test('values are written as a person would, where that is safe', async (t) => {
  const written = (value: Parameters<typeof rewrite>[1][string]): string => rewrite('hi', { k: value }).slice(4, -6)
  t.equal(written('Review the agreement (draft 2), please'), 'k: Review the agreement (draft 2), please\n')
  t.equal(written('2026-11-30T23:59:59+01:00'), 'k: 2026-11-30T23:59:59+01:00\n')
  t.equal(written('Re: x'), 'k: "Re: x"\n')
  t.equal(written('no'), 'k: "no"\n', 'other readers take it for a boolean')
  t.equal(written('@revenue'), 'k: "@revenue"\n')
  t.equal(written(''), 'k: ""\n')
  t.equal(written('a\u2028b\u009b'), 'k: "a\\u2028b\\u009b"\n')
  t.equal(written(null), 'k: null\n')
  t.equal(written([]), 'k: []\n')
  t.equal(written({}), 'k: {}\n')
  t.equal(written(['legal', '@revenue']), 'k: [legal, "@revenue"]\n')
  t.equal(written([{ name: 'a b.pdf', bytes: 3, sha256: `0${'a'.repeat(63)}` }]), `k:\n  - { name: "a b.pdf", bytes: 3, sha256: 0${'a'.repeat(63)} }\n`)
  t.strictSame([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0].map(written), ['k: .nan\n', 'k: .inf\n', 'k: -.inf\n', 'k: -0\n'])
})

t.test('a text that does not parse is our own mistake', async (t) => {
  for (const text of ['---js\n---\n', '---\nto: x\n', '---\nto: x\n--- \n', '---\na: b: c\n---\n', '---\n[a]\n---\n'])
    t.throws(() => rewrite(text, { id: 'a' }), /rewrite needs/, text)
})
