import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { counted, shellWord, showSafely } from '../../src/core/text.ts'

t.test('a word for the shell is read back by it as it was, byte by byte, and nothing in it is raw', async (t) => {
  const nasty = fc.constantFrom(
    'a',
    '/',
    ' ',
    "'",
    '"',
    '\\',
    '!',
    '$(id)',
    '`',
    ';',
    '#',
    '\n',
    '\t',
    '\u001b[31m',
    '\u007f',
    '\u0085',
    '\u202e',
    '\ufeff',
    '\u{e0041}',
    'é',
    '😀',
    '7',
    '-',
    '~',
  )
  const words = fc.sample(
    fc.oneof(
      fc.array(nasty, { minLength: 1 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', minLength: 1 }),
    ),
    2_000,
  )
  const given = words.filter((word) => !word.includes('\0'))
  const bytes = fc.sample(fc.uint8Array({ min: 1, minLength: 1, maxLength: 20 }), 500).map((array) => Buffer.from(array))
  const written = [...given, ...bytes].map(shellWord)
  t.same(
    written.filter((word) => showSafely(word) !== word),
    [],
  )
  const { stdout, stderr } = spawnSync('bash', ['-s'], { input: written.map((word) => `printf '%s\\0' ${word}\n`).join(''), env: { LC_ALL: 'C' } })
  t.equal(stderr.toString(), '')
  t.ok(stdout.equals(Buffer.concat([...given, ...bytes].map((word) => Buffer.concat([Buffer.from(word), Buffer.from([0])])))))
})

t.test('what is shown hides nothing: no control, no turn of direction, no text in tags that nobody sees', async (t) => {
  t.equal(showSafely('a\u001b[31m\u202eb\u{e0041}\u{e0100}é😀\n'), 'a\\x1b[31m\\u202eb\\u{e0041}\\u{e0100}é😀\\n')
})

t.test('one is one, and everything else is many', async (t) => {
  t.same(
    [0, 1, 2].map((count) => counted(count, 'message')),
    ['0 messages', '1 message', '2 messages'],
  )
  t.same(
    [0, 1, 2].map((count) => counted(count, 'person is', 'people are')),
    ['0 people are', '1 person is', '2 people are'],
  )
})
