import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { parseHead, parseMessage } from '../../src/message/index.ts'

const LIMITS = { frontMatterBytes: 16 * 1024 }

t.test('an empty or cut-off file is bad, and may only be unfinished', async (t) => {
  for (const text of [
    '',
    ' ',
    '\n\n',
    '\ufeff',
    '\r\n',
    '---',
    '---\n',
    '\ufeff---\r\n',
    '---\nto: legal',
    '---\nto: legal\n',
    '---\nto: legal\n--',
    '---\nto: legal\n ---\nbody',
  ]) {
    t.match(parseMessage(Buffer.from(text), LIMITS), { ok: false, complaints: [{ code: 'bad-front-matter' }], incomplete: true }, JSON.stringify(text))
  }
})

t.test('every cut of a message inside its front matter is unfinished; behind it every cut is a message', async (t) => {
  const text = '---\r\nto: legal\r\nsubject: "a: b"\r\n---\r\nbody\r\n'
  for (let length = 0; length < text.length; length++) {
    const parsed = parseMessage(Buffer.from(text.slice(0, length)), LIMITS)
    if (length < 3) continue // `-` and `--` could be any text
    if (text[length - 1] === '\r' && (length === 4 || length === text.indexOf('body') - 1)) continue // a line end cut in half
    t.equal(parsed.ok, length >= text.indexOf('---', 3) + 3, `${length} bytes`)
    if (!parsed.ok) t.equal(parsed.incomplete, true, `${length} bytes`)
  }
})

t.test('a text that does not begin with --- is all body', async (t) => {
  for (const text of ['hello', ' ---\nto: legal\n---\n', '\n---\nto: legal\n---\n', '--\n', '# ---js', '\ufeffhello\r\nyou']) {
    const bodyAt = text.startsWith('\ufeff') ? 1 : 0
    t.match(
      parseMessage(Buffer.from(text), LIMITS),
      { ok: true, message: { text, hasFrontMatter: false, bodyAt, eol: text.includes('\r') ? '\r\n' : '\n' } },
      JSON.stringify(text),
    )
  }
})

t.test('byte order mark and CRLF are fine, with the places of keys', async (t) => {
  const text = '\ufeff---\r\nto: legal\r\n# c\r\n"x-a": 017\r\n---\r\n\r\nbody'
  const parsed = parseMessage(Buffer.from(text), LIMITS)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  const { message } = parsed
  t.equal(message.eol, '\r\n')
  t.equal(message.text.slice(message.bodyAt), '\r\nbody')
  t.strictSame({ ...message.values }, { to: 'legal', 'x-a': 17 })
  t.strictSame({ ...message.written }, { to: 'legal', 'x-a': '017' })
  t.strictSame(
    [...message.spots],
    [
      ['to', { line: 2, column: 1 }],
      ['x-a', { line: 4, column: 1 }],
    ],
  )
})

t.test('a text is told to look like another encoding only where none of its characters is good UTF-8', async (t) => {
  const told = (...bytes: readonly (string | number)[]): string | undefined => {
    const parsed = parseMessage(Buffer.concat(bytes.map((one) => (typeof one === 'string' ? Buffer.from(one) : Buffer.of(one)))), LIMITS)
    return parsed.ok ? undefined : parsed.complaints[0]?.what
  }
  t.equal(told('---\nto: legal\n---\nGr', 0xfc, 0xdf, 'e\n'), 'this is not valid UTF-8; it looks like WINDOWS-1252')
  for (const stray of [[0xff], [0xe2, 0x82], [0xfc]])
    t.equal(told('---\nto: legal\n---\nZürich ', ...stray, '\n'), 'this is not valid UTF-8', `one of many is bad: ${stray.join(' ')}`)
  t.equal(told('\ufeffGr', 0xfc, 'n\n'), 'this is not valid UTF-8', 'what begins with a mark of UTF-8')
  t.equal(told('a \ufffd b ', 0xff, '\n'), 'this is not valid UTF-8', 'what was spoilt before')
})

t.test('bytes that are not UTF-8 are refused with their place', async (t) => {
  const bad: [Buffer, number, number][] = [
    [Buffer.concat([Buffer.from('---\nto: legal\n---\nab'), Buffer.from([0xff])]), 4, 3],
    [Buffer.concat([Buffer.from('---\nto: \ufffd€'), Buffer.from([0xc0, 0x80]), Buffer.from('\n---\n')]), 2, 7],
    [Buffer.from([0xed, 0xa0, 0x80]), 1, 1],
    [Buffer.from('\ufeff---\nto: x\n---\n', 'utf16le'), 1, 1],
    [Buffer.concat([Buffer.from('😀'), Buffer.from([0xe2, 0x82])]), 1, 2],
  ]
  for (const [bytes, line, column] of bad)
    t.match(parseMessage(bytes, LIMITS), { ok: false, complaints: [{ code: 'bad-encoding', spot: { line, column } }], incomplete: false })
})

t.test('a head may be cut anywhere behind its front matter, in mid-character too', async (t) => {
  const front = '---\nto: legal\nsubject: größer\n---\n'
  const bytes = Buffer.from(`${front}a€😀é`)
  for (let length = Buffer.byteLength(front); length <= bytes.length; length++) {
    const parsed = parseHead(bytes.subarray(0, length), LIMITS)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
    t.strictSame({ ...parsed.message.values }, { to: 'legal', subject: 'größer' })
    t.ok(bytes.toString().startsWith(parsed.message.text), `${length}: only whole characters`)
  }
  t.match(
    parseHead(Buffer.concat([Buffer.from(front), Buffer.from([0xff, 0x41])]), LIMITS),
    { ok: true, message: { values: { to: 'legal' } } },
    'a bad body is not the head’s business',
  )
  t.match(parseHead(Buffer.concat([Buffer.from('---\nto: '), Buffer.from([0xff]), Buffer.from('\n---\n')]), LIMITS), {
    ok: false,
    complaints: [{ code: 'bad-encoding', spot: { line: 2, column: 5 } }],
  })
})

t.test('any bytes get an answer', async () => {
  const part = fc.constantFrom(
    '---\n',
    '---',
    '\r\n',
    'to: a\n',
    ': ',
    '"',
    "'",
    '|',
    '>',
    '- ',
    '[',
    '}',
    '#',
    '\t',
    '&',
    '*',
    '!',
    '%',
    '@',
    '\0',
    '\ufeff',
    '€',
    '...',
    '?',
    '\n',
    '\\u',
    '<<',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))), (parts, spoil) => {
      const bytes = Buffer.from(`---\n${parts.join('')}\n---\n`)
      if (spoil) bytes[spoil[0] % bytes.length] = spoil[1]
      for (const parsed of [parseMessage(bytes, LIMITS), parseHead(bytes, LIMITS)])
        if (!parsed.ok && parsed.complaints.length === 0) throw new Error('refused without a complaint')
    }),
    { numRuns: 2000 },
  )
})
