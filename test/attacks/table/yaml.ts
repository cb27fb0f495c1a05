/** YAML that is more than a message needs. */
import { join } from 'node:path'
import { type Case, delivered, REFUSED, UNFINISHED } from '../suite/case.ts'

/** Lines beside `to:` and `subject:`. */
const lines = (what: string, text: string, outcome: Case['outcome'] = REFUSED): Case => ({
  what,
  plant: ({ hand, own, name, message }) => hand.do('drop', join(own, 'a'), name(), message(text)),
  outcome,
})

/** Instead of all of it. */
const whole = (what: string, text: string | Buffer, outcome: Case['outcome'] = REFUSED): Case => ({
  what,
  plant: ({ hand, own, name }) => hand.do('drop', join(own, 'a'), name(), text),
  outcome,
})

const bomb = [
  'x-a: &a [x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((key, n) => `x-${key}: &${key} [${Array(8).fill(`*${'abcdefgh'[n]}`).join(', ')}]`),
].join('\n')

export const YAML: readonly Case[] = [
  lines('a bomb of aliases', bomb),
  lines('an anchor that nobody names', 'x-a: &a b'),
  lines('an alias of itself', 'x-a: &a [*a]'),
  lines('a merge key', '<<: { from: ceo }'),
  lines('a tag of code', 'x-a: !!js/function "function () { process.exit() }"'),
  lines('a tag of nobody', 'x-a: !x b'),
  lines('a tag for bytes', 'x-a: !!binary aGVsbG8='),
  lines('a verbatim tag', 'x-a: !<tag:yaml.org,2002:js/undefined> ""'),
  lines('five thousand open lists', `x-a: ${'['.repeat(5_000)}`),
  lines('five thousand lists in each other', `x-a: ${'['.repeat(5_000)}${']'.repeat(5_000)}`),
  lines('three thousand mappings in each other', `x-a: ${'{a: '.repeat(3_000)}${'}'.repeat(3_000)}`),
  lines('a hundred and fifty mappings, each further in', ['x-a:', ...Array.from({ length: 150 }, (_, n) => `${' '.repeat(n + 1)}a:`)].join('\n')),
  lines('lists of dashes on one line', `x-a:\n ${'- '.repeat(5_000)}x`),
  lines('sixteen thousand empty lines', '\n'.repeat(16_000)),
  lines('sixteen thousand blanks and empty lines', ' \n'.repeat(8_000)),
  lines('sixteen thousand blanks', `x-a: b${' '.repeat(16_000)}`, delivered('blanks at the end of a line mean nothing')),
  lines('a thousand keys', Array.from({ length: 1_000 }, (_, n) => `x-${n}: "\\x41"`).join('\n')),
  lines('thousands of wrong escapes', `x-a: "${'\\z'.repeat(7_000)}"`),
  lines('brackets that close nothing', ']'.repeat(5_000)),
  lines('a key twice', 'priority: low\npriority: urgent'),
  lines('a key twice, once quoted', 'priority: low\n"priority": urgent'),
  lines('a key twice, once escaped', 'priority: low\n"\\x70riority": urgent'),
  lines('an explicit key', '? priority\n: urgent'),
  lines('a quote that is never closed', 'x-a: "b'),
  lines('front matter over its limit', `x-a: ${'y'.repeat(17_000)}`),
  lines('a number beyond all numbers', `x-a: 1e${'9'.repeat(400)}`, delivered('it is kept as it was written')),
  lines('NUL', 'x-a: b\0c'),
  lines('orders to a terminal', 'x-a: \u001b[2J\u001b]0;owned\u0007'),
  lines('a return without a new line', 'x-a: b\rfrom: ceo'),
  lines('half a character', 'x-a: "\\ud800"'),
  whole('several documents', '---\nto: legal\n...\n---\nfrom: ceo\n---\nx\n'),
  whole('an order to the reader of YAML', '---\n%YAML 1.1\nto: legal\n---\nx\n'),
  whole('a list', '---\n- to: legal\n---\nx\n'),
  whole('nothing between its lines', '---\n---\nx\n'),
  whole('front matter that is never closed', '---\nto: legal\nsubject: x\n', UNFINISHED),
  whole('text of Latin-1', Buffer.from('---\nto: legal\nsubject: Gr\xfc\xdfe\n---\nx\n', 'latin1')),
  whole('text of UTF-16', Buffer.from('\ufeff---\nto: legal\n---\nx\n', 'utf16le')),
  whole('bytes that are no text', Buffer.from([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe, 0x00, 0x80, 0x0a, 0x2d, 0x2d, 0x2d, 0x0a])),
]
