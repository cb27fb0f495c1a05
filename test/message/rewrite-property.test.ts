import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import type { Value } from '../../src/core/message.ts'
import { type MessageText, parseMessage, rewrite } from '../../src/message/index.ts'

const LIMITS = { frontMatterBytes: 256 * 1024 }

function parse(text: string): MessageText {
  const parsed = parseMessage(Buffer.from(text), LIMITS)
  if (!parsed.ok) throw new Error(`${JSON.stringify(text)}: ${JSON.stringify(parsed.complaints)}`)
  return parsed.message
}

const character = fc.constantFrom(...Array.from(`ab Z09:#-[]{}"'\\,&*!|>%@\`~=?.+_/()éß\u0085\u00a0\u2028\ufeff😀\t\n\n\r\u0000\u0007\u007f\u200e`))
const words = fc.oneof(
  fc.string({ unit: character, maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.constantFrom(
    '',
    ' ',
    'null',
    '~',
    'true',
    'no',
    '17',
    '0x1',
    '1e3',
    '.5',
    '---',
    '\n---\n',
    'a\nb',
    'a\nb\n',
    'a\n\n b\n',
    'a\n  \nb',
    '\na',
    'a\n\n',
    '|',
    '> x',
    '- a',
    '? a',
    'a: b',
    'a #b',
    '@all',
    '#a\n#b',
    `x${'\n'.repeat(70)}y`,
    `line\n${'y'.repeat(2000)}`,
    '__proto__',
  ),
)
const key = fc.oneof(fc.constantFrom('status', 'x-a', '__proto__', 'constructor', 'to be', 'a: b', '17', 'null', '"q"'), fc.stringMatching(/^[a-z_-]{1,8}$/))
const scalar: fc.Arbitrary<Value> = fc.oneof(words, fc.double({ noNaN: true }), fc.integer(), fc.boolean(), fc.constant(null))
const nested = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((pairs) => plainObject(pairs)),
  ),
})).value
const value = fc.oneof(words, nested, fc.array(words, { maxLength: 20 }))

function plainObject(pairs: readonly (readonly [string, Value])[]): Value {
  const object = Object.create(null) as Record<string, Value>
  for (const [name, inner] of pairs) object[name] = inner
  return object
}

/** Ways in which one key and its value stand in a file; KEY is replaced. */
const STYLES = [
  'KEY: plain',
  'KEY:   spaced out   # why',
  'KEY:',
  'KEY: # nothing yet',
  '"KEY": "quoted \\" key"   # kept',
  "'KEY' : 'single'",
  'KEY: 017',
  'KEY: [a, "b", 3] # list',
  'KEY: [a,\n  b, # inner\n  c]',
  'KEY:\n  - a\n  - b',
  'KEY: # names\n- a\n- b # last',
  'KEY: |\n  # no comment\n  two\n\n  three\n',
  'KEY: >- # folded\n  one\n  two',
  'KEY: |+\n  kept\n\n',
  'KEY: "over\n  two lines" # end',
  'KEY: plain\n  over\n  three',
  'KEY:\n  inner: 1\n  other:\n    - x: 1\n      y: 2',
  'KEY: {a: 1, b: [c]}',
  'KEY:\n  next line # c',
]
const between = fc.constantFrom('', '', '# a comment\n', '\n', '# one\n\n# two: three\n')
const entry = fc.tuple(fc.constantFrom('a', 'b', 'status', 'result', 'x-note', 'to', 'null'), fc.constantFrom(...STYLES), between)
const front = fc.uniqueArray(entry, { minLength: 1, maxLength: 5, selector: ([name]) => name })
const body = fc.oneof(fc.string({ unit: character, maxLength: 40 }), fc.constantFrom('', '\n', '---js\nprocess.exit()\n---\n', '\r\n\r\nx', 'no final newline'))
const edits = fc.uniqueArray(
  fc.tuple(fc.oneof(fc.constantFrom('a', 'b', 'status', 'result', 'x-note', 'to', 'null'), key), fc.option(value, { nil: undefined, freq: 4 })),
  { maxLength: 4, selector: ([name]) => name },
)

t.test('rewriting sets exactly the keys it is given and leaves body, comments, order and every other line alone', async () => {
  fc.assert(
    fc.property(front, body, edits, fc.constantFrom('\n', '\r\n'), fc.boolean(), (entries, tail, changes, eol, bom) => {
      const pieces = entries.map(([name, style, gap]) => ({ name, gap, text: `${style.replaceAll('KEY', name)}\n`.replaceAll('\n', eol) }))
      const text = `${bom ? '\ufeff' : ''}---${eol}${pieces.map((piece) => piece.gap.replaceAll('\n', eol) + piece.text).join('')}---${eol}${tail}`
      const before = parse(text)
      const wanted = Object.assign(Object.create(null), before.values) as Record<string, Value>
      const given = Object.create(null) as Record<string, Value | undefined>
      for (const [name, next] of changes) {
        given[name] = next
        if (next === undefined) delete wanted[name]
        else wanted[name] = next
      }
      if (Object.keys(wanted).length === 0) return
      const text2 = rewrite(text, given)
      const after = parse(text2)
      const wellFormed = JSON.stringify(wanted).replace(/\\ud[89a-f][0-9a-f]{2}/g, '\ufffd')
      if (JSON.stringify(after.values) !== wellFormed) throw new Error(`values ${JSON.stringify(after.values)} in ${JSON.stringify(text2)}`)
      if (after.text.slice(after.bodyAt) !== text.slice(before.bodyAt)) throw new Error('the body changed')
      if (after.eol !== eol || text2.startsWith('\ufeff') !== bom) throw new Error('line ends or byte order mark changed')
      const at: number[] = []
      for (const piece of pieces) if (!(piece.name in given)) at.push(text2.indexOf(`\n${piece.text.trimEnd()}`))
      if (at.some((offset, index) => offset < 0 || offset < (at[index - 1] ?? 0))) throw new Error(`another key's lines changed: ${JSON.stringify(text2)}`)
      for (const { gap } of pieces) for (const line of gap.split('\n')) if (line.startsWith('#') && !text2.includes(line + eol)) throw new Error(`lost ${line}`)
      if (rewrite(text, {}) !== text) throw new Error('nothing to change, yet changed')
    }),
    { numRuns: 2500 },
  )
})

t.test('a text without front matter gets one before its first byte', async () => {
  fc.assert(
    fc.property(
      body.filter((text) => !text.replace(/^\ufeff/, '').startsWith('---') && /\S/.test(text)),
      words,
      (text, subject) => {
        const bare = text.replace(/^\ufeff/, '')
        const after = parse(rewrite(text, { subject, status: 'open' }))
        if (after.text.slice(after.bodyAt) !== bare) throw new Error('the body changed')
        if (after.values.subject !== subject.replace(/\p{Surrogate}/gu, '\ufffd')) throw new Error(`subject ${JSON.stringify(after.values.subject)}`)
      },
    ),
    { numRuns: 500 },
  )
})
