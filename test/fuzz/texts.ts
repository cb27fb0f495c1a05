/** Hostile texts: noise, front matter made by a grammar, real messages spoiled in every way that people and attackers know. */
import type { Value } from '../../src/core/message.ts'
import type { Random } from './random.ts'

const KEYS = [
  'to', 'cc', 'subject', 'kind', 'priority', 'status', 'due', 'not_before', 'expires', 'ref', 'in_reply_to', 'settles', 'attach', 'result', 'progress',
  'blocked_on', 'id', 'from', 'via', 'thread', 'created', 'updated', 'attachments', 'x-a', 'x-note', 'prioirty', '__proto__', 'constructor', 'prototype',
  'toString', 'hasOwnProperty', '<<', 'null', 'true', '17', 'y', '=', 'é', '"to"', "'to'", 'to be', '? to', '- to', '&a to', '*a', '!!str to', '!<x> to',
] as const // biome-ignore format: a list of words
const SCALARS = [
  '', '~', 'null', 'true', 'no', '17', '017', '0x1F', '0o7', '1e3', '1e999', '.inf', '-.INF', '.nan', '-0', '2026-11-30', '2026-11-30T17:00:00+01:00', '5m',
  'legal', 'legal, pmo', '@all', 'urgent', 'done', 'open', 'operator', '../../etc/passwd', '/etc/shadow', 'a: b', 'a #b', 'a:', '- a', '? a', '---', '...',
  '%YAML 1.2', '&a x', '*a', '!!js/function "x"', '!!binary aGk=', '{}', '[]', '[a, b]', '[a, [b, [c]]]', '{a: 1}', '{__proto__: {x: 1}}', '[', ']', '{', '}', '|',
  '>', '|+2', '>-', '"', "'", '"\\x41"', '"\\ud800"', '"\\u0000"', "'it''s'", '"a\\', '019a0000-0000-7000-8000-000000000000', '@', '`x`', 'a\tb', '\ta', 'x '.repeat(40),
] as const // biome-ignore format: a list of words
const ODD =
  '\u0000\u0007\u001b\u007f\u0085\u00a0\u00ad\u061c\u1680\u180e\u200b\u200e\u2028\u2029\u202e\u2066\u3000\ufeff\ufffd\uffff\u0301é\u00df漢😀\u{10ffff}'
const SYNTAX = ` :#-[]{}"'\\,&*!|>%@\`~=?.+_/()\t\n\n\r`
const BODIES = [
  '',
  '\n',
  'Please look.\n',
  '# Heading\n\ntext\n',
  '---\nfrom: ceo\n---\n',
  '\r\n\r\nx',
  'no end',
  '```\n---js\nprocess.exit()\n---\n```\n',
  '- [ ] one\n- [x] two\n',
  '<b>\u202e</b>\n',
] as const
const OPENINGS = ['---js', '---json', '--- ', '----', '---\t', '--', '\u200b---', ' ---', '---\u2028', '---yaml', '---\r\r'] as const
const REAL = [
  '---\nto: legal\nsubject: Review: the operating agreement\npriority: high\ndue: 2026-11-30\nattach: [contract.pdf]\n---\nPlease look until Friday.\n\nThanks\n',
  '---\nid: 019a0000-0000-7000-8000-000000000000\nfrom: pmo\nvia: agent\nto: [legal, "cfo"] # both\nsubject: "A \\"quoted\\" one"\nkind: task\npriority: normal\nstatus: in_progress\ncreated: 2026-11-22T01:02:03.004Z\nupdated: 2026-11-22T01:02:03.004Z\nx-board: 17\nprogress: |\n  half of it\n\n  is done\nattachments:\n  - name: a.txt\n    bytes: 3\n    sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae\n---\n- [ ] one\n- [ ] two\n',
  '\ufeff---\r\nto: operator\r\nstatus: open\r\nresult: >-\r\n  all is\r\n  well\r\n---\r\nGr\u00fc\u00dfe\r\n',
  'no front matter at all\n\n---\nand a rule\n',
  '---\nin_reply_to: ask-17\nsettles: done\nblocked_on: [a1, b2]\nx-nested: { a: [1, 2.50, null], b: { c: ~ } }\n# a comment\n---\ndone\n',
] as const

export function wordOf(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return random.pick(KEYS)
    case 1:
      return textFrom(random, ODD, 6)
    case 2:
      return textFrom(random, SYNTAX, 10)
    case 3:
      return random.bytes(random.few(40)).toString('latin1')
    case 4:
      return String.fromCharCode(...Array.from({ length: random.few(12) }, () => random.below(0x10000)))
    default:
      return random.pick(SCALARS)
  }
}

function textFrom(random: Random, letters: string, most: number): string {
  const all = Array.from(letters)
  return Array.from({ length: random.few(most) + 1 }, () => random.pick(all)).join('')
}

/** One key with its value, as lines. */
function entryOf(random: Random, indent: string, depth: number): string {
  const key = random.chance(12) ? wordOf(random) : random.pick(KEYS)
  const colon = random.chance(12) ? random.pick([':', ' :', ':  ', ':\t', '', '::']) : ': '
  const tail = random.chance(8) ? random.pick([' # why', '#why', '\t', '  ', ' ', '\u00a0']) : ''
  switch (random.below(depth > 9 ? 4 : 9)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return `${indent}${key}${colon}${random.chance(6) ? wordOf(random) : random.pick(SCALARS)}${tail}\n`
    case 4:
      return `${indent}${key}${colon}${random.pick(['|', '>', '|-', '>+', '|2', '>1-', '|+'])}${tail}\n${linesOf(random, `${indent}  `)}`
    case 5:
      return `${indent}${key}:${tail}\n${Array.from({ length: random.few(6) + 1 }, () => `${indent}${random.pick(['  ', '', ' '])}- ${wordOf(random)}\n`).join('')}`
    case 6:
      return `${indent}${key}: "${wordOf(random)}${random.chance(4) ? '' : '"'}${tail}\n`
    case 7:
      return `${indent}${key}: ${flowOf(random, depth)}${tail}\n`
    default:
      return `${indent}${key}:${tail}\n${Array.from({ length: random.few(3) + 1 }, () => entryOf(random, `${indent}  `, depth + 1)).join('')}`
  }
}

function linesOf(random: Random, indent: string): string {
  return Array.from({ length: random.few(5) }, () => `${random.chance(5) ? '' : indent}${wordOf(random).replaceAll('\n', ' ')}\n`).join('')
}

function flowOf(random: Random, depth: number): string {
  const isList = random.chance(2)
  const items = Array.from({ length: random.few(5) }, () => {
    const item = depth < 12 && random.chance(3) ? flowOf(random, depth + 1) : wordOf(random)
    return isList ? item : `${random.pick(KEYS)}: ${item}`
  })
  const inner = items.join(random.pick([', ', ',', ',\n  ', ' ']))
  return isList ? `[${inner}]` : `{ ${inner} }`
}

/** Front matter as it might stand between the two lines. */
function frontOf(random: Random): string {
  const lines = Array.from({ length: random.few(7) + 1 }, () => {
    if (random.chance(14)) return random.pick(['\n', '# note\n', '#\n', ' \n', '\t\n', '...\n', '%YAML 1.1\n', '- a\n', '  odd: 1\n', '\u2028\n'])
    return entryOf(random, '', 0)
  }).join('')
  return random.chance(10) ? lines.replaceAll('\n', '\r\n') : lines
}

function grammarText(random: Random): string {
  const eol = random.chance(10) ? '\r\n' : '\n'
  const opening = random.chance(20) ? random.pick(OPENINGS) : '---'
  const closing = random.chance(20) ? random.pick(OPENINGS) : '---'
  const body = random.chance(8) ? wordOf(random) : random.pick(BODIES)
  return `${random.chance(16) ? '\ufeff' : ''}${opening}${eol}${frontOf(random)}${closing}${eol}${body}`
}

/** One thing many times over, up to the limits: what quadratic code would choke on. */
function hugeText(random: Random): string {
  const unit = random.chance(2)
    ? wordOf(random) || ' '
    : random.pick([
        '[',
        '{',
        '{a: ',
        '- ',
        '? ',
        '"',
        '\\',
        '\n',
        ' ',
        ' \n',
        '#\n',
        'a: ',
        '&a ',
        '!',
        '\u2028',
        '\u00a0\n',
        '  ',
        '|\n',
        'x-a: "\\z"\n',
        '{,',
        ',',
        '- - ',
        '\r\n',
        '😀',
      ])
  const many = unit.repeat(Math.ceil((random.chance(4) ? 17_000 : 1_000 + random.few(15_300)) / Buffer.byteLength(unit)))
  switch (random.below(5)) {
    case 0:
      return `---\nto: legal\n---\n${many.repeat(15)}`
    case 1:
      return `---\n${many}\n---\n`
    case 2:
      return `---\nx-a: ${many}\nto: legal\n---\n`
    case 3:
      return `---\n${many}: a\nto: legal\n---\n`
    default:
      return `---\n${Array.from({ length: many.length / 20 }, (_, nth) => `x-${nth}: ${unit.slice(0, 8)}\n`).join('')}---\n`
  }
}

function spoil(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  const to = Math.min(bytes.length, at + random.few(30))
  const lines = bytes.toString('latin1').split('\n')
  const line = random.below(lines.length)
  const joined = (): Buffer => Buffer.from(lines.join('\n'), 'latin1')
  switch (random.below(9)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
      return copy
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(wordOf(random)), bytes.subarray(at)])
    case 3:
      lines.splice(line, 0, lines[random.below(lines.length)] ?? '')
      return joined()
    case 4:
      lines.splice(line, 1)
      return joined()
    case 5:
      return bytes.subarray(0, at)
    case 6:
      lines[line] = `${lines[line] ?? ''}${Buffer.from(wordOf(random)).toString('latin1')}`
      return joined()
    case 7:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.few(8)), bytes.subarray(to)])
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(REAL)).subarray(random.below(40))])
  }
}

/** The bytes of a message's file. */
export function messageBytes(random: Random): Buffer {
  const kind = random.below(1000)
  if (kind < 2) return Buffer.from(hugeText(random))
  if (kind < 60)
    return Buffer.concat([Buffer.from(random.chance(2) ? '---\n' : ''), random.bytes(random.few(200)), Buffer.from(random.chance(2) ? '\n---\n' : '')])
  let bytes = Buffer.from(kind < 600 ? grammarText(random) : random.pick(REAL))
  for (let left = kind < 600 ? random.few(3) : 1 + random.few(4); left > 0; left--) bytes = spoil(random, bytes) as Buffer<ArrayBuffer>
  return bytes
}

/** Any value that somebody may ask to be written. */
export function anyValue(random: Random, depth = 0): Value {
  const kind = random.below(depth > 2 ? 6 : 8)
  if (kind < 4) return wordOf(random)
  if (kind === 4) return random.pick([true, false, null, 0, -0, 17, 1e300, 5e-324, -1.5, Number.POSITIVE_INFINITY])
  if (kind === 5) return `${wordOf(random)}\n${wordOf(random)}${random.pick(['', '\n', '\n\n'])}`
  if (kind === 6) return Array.from({ length: random.few(12) }, () => anyValue(random, depth + 1))
  const made = Object.create(null) as Record<string, Value>
  for (let left = random.few(4); left > 0; left--) made[wordOf(random).toWellFormed().replace('<<', '<') || 'a'] = anyValue(random, depth + 1)
  return made
}
