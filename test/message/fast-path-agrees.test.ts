import fc from 'fast-check'
import t from 'tap'
import { readPlain } from '../../src/core/plain.ts'
import { readFront } from '../../src/message/frontmatter.ts'
import { readStrict } from '../../src/message/strict.ts'

const key = fc.oneof(
  fc.constantFrom('to', 'subject', 'x-a', 'due', 'null', 'true', 'A', '__proto__', 'constructor', 'y'),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,5}$/),
)
const hostile = fc.string({ unit: fc.constantFrom(...Array.from(` :#-[]{}"'\\,&*!|>%@\`~=?019aeExofnNtT.+_/()é\u00a0\u2028\ufeff😀\t`)), maxLength: 12 })
const ordinary = fc.string({ unit: fc.constantFrom(...Array.from("abcXYZ 019.-_/:,()'éß#@+eE")), maxLength: 30 })
const literal = fc.constantFrom(
  '17',
  '017',
  '0x1F',
  '0o7',
  '1e3',
  '.5',
  '5.',
  '-.inf',
  '.NaN',
  'null',
  '~',
  'True',
  'no',
  'on',
  '2026-11-30',
  '019a0000-0000-7000-8000-000000000000',
  '1_000',
  '+1',
  '0b1',
  '1e',
  '0x',
  '<<',
  '=',
  '12:30:45',
  '-',
  '---',
  '...',
  '- a',
  '? a',
)
const listed = fc.array(fc.oneof(ordinary, literal, hostile), { maxLength: 4 }).map((items) => `[${items.join(', ')}]`)
const doubled = fc.oneof(ordinary, hostile).map((text) => `"${text}"`)
const singled = fc.oneof(ordinary, hostile).map((text) => `'${text}'`)
const json = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => JSON.stringify(text))
const value = fc.oneof({ weight: 4, arbitrary: ordinary }, hostile, literal, listed, doubled, singled, json)
const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(key, fc.constantFrom(': ', ': ', ': ', ': ', ': ', ': ', ':', ':  ', ' : '), value, fc.constantFrom('', '', '', '', '', '', ' ', ' # c', '\t'))
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('', '# comment', ' ', '  - a', '- a', ' continued', '"quoted": x') },
)
const source = fc
  .tuple(fc.array(line, { maxLength: 3 }), fc.constantFrom('\n', '\r\n'))
  .map(([lines, eol]) => `${eol}${lines.map((one) => one + eol).join('')}`)

t.test('wherever the fast path gives an answer the strict parser gives the same', async (t) => {
  let fast = 0
  fc.assert(
    fc.property(source, (text) => {
      const entries = readPlain(text)
      if (!entries || entries.length === 0) return
      fast++
      const strict = readStrict(text)
      const quick = readFront(text)
      if (!strict.ok || !quick.ok) throw new Error(`only one of the two reads ${JSON.stringify(text)}`)
      if (JSON.stringify(strict.front.values) !== JSON.stringify(quick.front.values))
        throw new Error(`${JSON.stringify(quick.front.values)} is ${JSON.stringify(strict.front.values)}`)
      if (JSON.stringify(strict.front.written) !== JSON.stringify(quick.front.written)) throw new Error('written differs')
      if (JSON.stringify([...strict.front.spots]) !== JSON.stringify([...quick.front.spots])) throw new Error('spots differ')
      for (const { valueAt, valueEnd, value: read } of entries)
        if (typeof read === 'string' && !/["'\\]/.test(text) && text.slice(valueAt, valueEnd) !== read) throw new Error('wrong offsets')
    }),
    { numRuns: 5000 },
  )
  t.ok(fast > 500, `the fast path was taken ${fast} times`)
})
