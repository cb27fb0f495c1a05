import { Buffer } from 'node:buffer'
import t from 'tap'
import { defaultSubject, parseHead, parseMessage, readDraft, rewrite } from '../../src/message/index.ts'

const KIB = 1024

/** Texts of about `bytes` bytes: for each, four times the size may cost four times the time, not sixteen. */
const SHAPES: Record<string, (bytes: number) => string> = {
  'blank lines in the body': (bytes) => `---\nto: legal\n---\n${'\n'.repeat(bytes)}`,
  'blanks in the body': (bytes) => `---\nto: legal\n---\n${' '.repeat(bytes)}x`,
  'one long line': (bytes) => '#'.repeat(bytes),
  'lines that nearly close': (bytes) => `---\nto: legal\n${' ---\n--\n'.repeat(bytes / 8)}`,
  'marks all through the body': (bytes) => `---\nto: legal\n---\n${'---\n'.repeat(bytes / 4)}`,
  'unclosed front matter': (bytes) => `---\n${'a: b\n'.repeat(bytes / 5)}`,
  'blank lines in front matter': (bytes) => `---\n${'\n'.repeat(bytes)}---\n`,
  'just so many blank lines in a row': (bytes) => `---\n${`#\n${'\n'.repeat(31)}`.repeat(bytes / 33)}---\n`,
  'long blank lines in a row': (bytes) => `---\n${`#\n${`${' '.repeat(125)}\n`.repeat(31)}`.repeat(bytes / 4000)}---\n`,
  'blanks in a value': (bytes) => `---\nto:${' '.repeat(bytes)}x\n---\n`,
  'blanks before a comment': (bytes) => `---\nto: x${' '.repeat(bytes)}# c\n---\n`,
  'one long quoted value': (bytes) => `---\nsubject: "${'a\\"'.repeat(bytes / 3)}"\n---\n`,
  'one long plain value': (bytes) => `---\nsubject: ${'a:'.repeat(bytes / 2)}x\n---\n`,
  'one long block': (bytes) => `---\nx-a: |\n${'  line\n'.repeat(bytes / 7)}---\n`,
  'one long folded block': (bytes) => `---\nx-a: >\n${'  line\n'.repeat(bytes / 7)}---\n`,
  'a key a line': (bytes) => `---\n${Array.from({ length: bytes / 10 }, (_, n) => `x-${n}: [a]\n`).join('')}---\n`,
  comments: (bytes) => `---\nto:\n${' # c\n'.repeat(bytes / 5)}---\n`,
  brackets: (bytes) => `---\nto: ${'['.repeat(bytes)}\n---\n`,
  'wrong escapes': (bytes) => `---\nto: "${'\\z'.repeat(bytes / 2)}"\n---\n`,
  'bytes that are not UTF-8': (bytes) => `---\nto: x\n---\n${'\ufffd'.repeat(bytes / 3)}`,
}

/** All that `\s` matches (ECMA-262, WhiteSpace and LineTerminator), and the next line that Unicode has besides. */
const BLANKS = '\t\v\f \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff\r\n\u0085'
for (const blank of BLANKS) {
  const name = `U+${(blank.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  SHAPES[`${name} between two keys`] = (bytes) => `---\na: 1\n${blank.repeat(bytes / Buffer.byteLength(blank))}\nb: 1\n---\n`
  SHAPES[`${name} before the first key`] = (bytes) => `---\n${blank.repeat(bytes / Buffer.byteLength(blank))}\nb: 1\n---\n`
}

/** The least of several runs: what the work costs when nothing else wants the processor. */
function costMs(work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < 3; run++) {
    const start = performance.now()
    work()
    least = Math.min(least, performance.now() - start)
  }
  return least
}

function work(text: string, spoil: boolean): () => void {
  const bytes = Buffer.from(text)
  if (spoil) bytes[bytes.length - 1] = 0xff
  const limits = { frontMatterBytes: 1024 * KIB }
  return () => {
    parseHead(bytes, limits)
    const parsed = parseMessage(bytes, limits)
    if (!parsed.ok) return
    readDraft(parsed.message)
    defaultSubject(parsed.message, 'x.md')
    rewrite(parsed.message.text, { status: 'done' })
  }
}

t.test('the cost of reading grows with the size of the text, not with its square', async (t) => {
  for (const [title, shape] of Object.entries(SHAPES)) {
    const spoil = title.includes('UTF-8')
    const [small, large] = [work(shape(64 * KIB), spoil), work(shape(256 * KIB), spoil)]
    large() // once, so that both are compiled
    // A square would be 16 each time; 10 leaves room for caches, and a quarter of a millisecond for the clock. Others may be at work now and then.
    let best = Number.POSITIVE_INFINITY
    for (let attempt = 0; attempt < 12 && best > 10; attempt++) best = Math.min(best, costMs(large) / (costMs(small) + 0.25))
    t.ok(best <= 10, `${title}: ${best.toFixed(1)} times the cost for four times the size`)
  }
})
