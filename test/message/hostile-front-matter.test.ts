import { Buffer } from 'node:buffer'
import t from 'tap'
import { parseHead, parseMessage, readDraft } from '../../src/message/index.ts'

const LIMITS = { frontMatterBytes: 16 * 1024 }
const RUN = 'globalThis.pwned = (globalThis.pwned ?? 0) + 1'
const front = (...lines: string[]): string => `---\n${lines.join('\n')}\n---\nbody\n`

/** Title, text, code, line. */
const REFUSED: readonly [string, string, string, number | undefined][] = [
  ...[
    'js',
    'javascript',
    'JS',
    ' js',
    '\tjs',
    'Javascript',
    'coffee',
    'coffeescript',
    'cson',
    'json',
    'toml',
    'yaml',
    'constructor',
    '__proto__',
    'toString',
    '-',
    ' ',
    '\t',
    '\r\r',
    '# c',
  ].flatMap((language): [string, string, string, number][] => [
    [`---${JSON.stringify(language)}`, `---${language}\n${RUN}\n---\nbody`, 'bad-front-matter', 1],
    [`BOM and ---${JSON.stringify(language)}`, `\ufeff---${language}\n${RUN}\n---\nbody`, 'bad-front-matter', 1],
  ]),
  ['a closing line with more on it', '---\nto: legal\n--- \nbody\n---\n', 'bad-front-matter', 3],
  ['a closing line of four', '---\nto: legal\n----\nbody\n---\n', 'bad-front-matter', 3],
  ['a second document of another language', '---\nto: legal\n---js\n---\n', 'bad-front-matter', 3],
  ['several documents', front('to: legal', '...', 'from: ceo'), 'bad-front-matter', 3],
  ['a YAML directive', front('%YAML 1.1', 'to: legal'), 'bad-front-matter', 2],
  ['a TAG directive', front('%TAG ! tag:x,2000:', 'to: legal'), 'bad-front-matter', 2],
  ['an anchor', front('to: &a legal'), 'bad-front-matter', 2],
  ['an alias', front('to: legal', 'cc: *a'), 'bad-front-matter', 3],
  ['a bomb of aliases', front('a: &a [x, x]', 'b: &b [*a, *a]', 'c: &c [*b, *b]', 'd: [*c, *c]'), 'bad-front-matter', 2],
  ['an unknown tag', front('to: !x legal'), 'bad-front-matter', 2],
  ['a known tag', front('to: !!str 17'), 'bad-front-matter', 2],
  ['a tag of code', front(`to: !!js/function >`, `  function () { ${RUN} }`), 'bad-front-matter', 2],
  ['a verbatim tag', front('to: !<tag:yaml.org,2002:js/undefined> ""'), 'bad-front-matter', 2],
  ['a merge key', front('to: legal', '<<: { from: ceo }'), 'bad-front-matter', 3],
  ['a nested merge key', front('x-a: { "<<": { from: ceo } }'), 'bad-front-matter', 2],
  ['a key twice', front('to: legal', 'to: cfo'), 'bad-front-matter', 3],
  ['a key twice, once quoted', front('to: legal', '"to": cfo'), 'bad-front-matter', 3],
  ['a key twice, once escaped', front('to: legal', '"\\x74o": cfo'), 'bad-front-matter', 3],
  ['a nested key twice', front('x-a: { b: 1, b: 2 }'), 'bad-front-matter', 2],
  ['__proto__ twice', front('__proto__: 1', '__proto__: 2'), 'bad-front-matter', 3],
  ['an explicit key', front('? to', ': legal'), 'bad-front-matter', 2],
  ['a mapping as a key', front('{ to: legal }: x'), 'bad-front-matter', 2],
  ['a flow mapping', front('{ to: legal }'), 'bad-front-matter', 2],
  ['a list', front('- to: legal'), 'bad-front-matter', 2],
  ['a word', front('legal'), 'bad-front-matter', 2],
  ['nothing', '---\n---\nbody\n', 'bad-front-matter', 1],
  ['only comments', front('# to: legal'), 'bad-front-matter', 1],
  ['only bare comment marks', front('#', '#'), 'bad-front-matter', 1],
  ['deep flow lists', front(`x-a: ${'['.repeat(5000)}${']'.repeat(5000)}`), 'bad-front-matter', 2],
  ['deep flow mappings', front(`x-a: ${'{a: '.repeat(3000)}${'}'.repeat(3000)}`), 'bad-front-matter', 2],
  ['deep lists on one line', front(`x-a:`, ` ${'- '.repeat(5000)}x`), 'bad-front-matter', 3],
  ['deep mappings', front(...Array.from({ length: 150 }, (_, depth) => `${' '.repeat(depth)}a:`)), 'bad-front-matter', 11],
  ['16 KiB of newlines', front('\n'.repeat(16_000)), 'bad-front-matter', 34],
  ['16 KiB of blanks and newlines', front(' \n'.repeat(8000)), 'bad-front-matter', 34],
  ['thousands of keys', front(...Array.from({ length: 2000 }, (_, n) => `k${n}: "\\x41"`).slice(0, 1000)), 'bad-front-matter', 258],
  ['thousands of items', front('to:', ...Array.from({ length: 2000 }, () => '  - x')), 'bad-front-matter', 802],
  ['thousands of commas', front(`to: [${','.repeat(1500)}]`), 'bad-front-matter', 2],
  ['thousands of wrong escapes', front(`to: "${'\\z'.repeat(7000)}"`), 'bad-front-matter', 2],
  ['brackets that close nothing', front('to: legal', ']'.repeat(5000)), 'bad-front-matter', 3],
  ['an unclosed quote', front('to: "legal'), 'bad-front-matter', 2],
  ['a colon in a plain value', front('result: Done: see x'), 'bad-front-matter', 2],
  ['an unquoted group', front('to: @revenue'), 'bad-front-matter', 2],
  ['a tab for indentation', front('to:', '\t- legal'), 'bad-front-matter', 3],
  ['NUL', front('to: le\0gal'), 'bad-encoding', 2],
  ['escape sequences of a terminal', front('to: legal', 'subject: \u001b[2J'), 'bad-encoding', 3],
  ['DEL', front('to: legal\u007f'), 'bad-encoding', 2],
  ['a C1 control', front('to: legal\u009b'), 'bad-encoding', 2],
  ['a bare carriage return', front('to: legal\rfrom: ceo'), 'bad-encoding', 2],
  ['half a character by escape', front('to: "\\ud800"'), 'bad-encoding', 2],
  ['half a character in a key', front('"\\ud800": x'), 'bad-encoding', 2],
  ['front matter over the limit', front(`subject: ${'x'.repeat(17_000)}`), 'too-large', 1],
  ['front matter over the limit in bytes, not characters', front(`subject: ${'€'.repeat(6000)}`), 'too-large', 1],
]

t.test('hostile front matter is refused with a place, every time alike, and nothing in it runs', async (t) => {
  for (const [title, text, code, line] of REFUSED) {
    const first = parseMessage(Buffer.from(text), LIMITS)
    const again = parseMessage(Buffer.from(text), LIMITS)
    t.strictSame(again, first, `${title}: the second time as the first`)
    t.strictSame(parseHead(Buffer.from(text), LIMITS), first, `${title}: the head as the whole`)
    t.match(first, { ok: false, complaints: [{ code }], incomplete: false }, title)
    if (!first.ok) t.equal(first.complaints[0]?.spot?.line, line, `${title}: its line`)
  }
  t.notOk('pwned' in globalThis, 'no code ran')
})

t.test('keys of Object.prototype are plain keys, and unknown ones', async (t) => {
  const parsed = parseMessage(
    Buffer.from(front('to: legal', '__proto__: { polluted: true }', 'constructor: x', 'hasOwnProperty: y', 'x-a: { __proto__: { polluted: true } }')),
    LIMITS,
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  t.equal(Object.getPrototypeOf(parsed.message.values), null)
  t.strictSame(Object.keys(parsed.message.values), ['to', '__proto__', 'constructor', 'hasOwnProperty', 'x-a'])
  t.notOk('polluted' in {}, 'nothing is polluted')
  t.strictSame(
    readDraft(parsed.message).complaints.map(({ code, spot }) => [code, spot?.line]),
    [
      ['unknown-key', 3],
      ['unknown-key', 4],
      ['unknown-key', 5],
    ],
  )
})

t.test('a body may hold anything that front matter may not', async (t) => {
  const text = `---\nto: legal\n---\n---js\n${RUN}\n---\n\0\u001b[2J\r!!js/function`
  const parsed = parseMessage(Buffer.from(text), LIMITS)
  t.match(parsed, { ok: true, message: { text, values: { to: 'legal' } } })
  t.notOk('pwned' in globalThis)
})

t.test('two messages with one text share no object', async (t) => {
  const read = (): unknown => {
    const parsed = parseMessage(Buffer.from(front('to: [legal]')), LIMITS)
    return parsed.ok ? parsed.message.values : undefined
  }
  t.not(read(), read())
})
