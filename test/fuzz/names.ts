/** What must hold for names: those that we make come back as they were, those of others are never taken for ours by half. */
import { alertFile, keyOf, parseAlertFile } from '../../src/alert/key.ts'
import { formatId, idTimeMs, isMessageId } from '../../src/core/ids.ts'
import { isName, isReserved, nearest } from '../../src/core/names.ts'
import { cutToBytes, MOST_NAME_BYTES, oneLine, shellWord, showBodySafely, showSafely, slugOf } from '../../src/core/text.ts'
import { explainedBy, formatFileName, formatHeldName, isDraftName, isMessageName, parseFileName, parseHeldName, whyBeside } from '../../src/mailbox/names.ts'
import { fail } from './message.ts'
import type { Random } from './random.ts'
import { wordOf } from './texts.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/
const PRIORITIES = ['urgent', 'high', 'normal', 'low', 'p-1', 'a_b'] as const

function textOf(random: Random): string {
  const text = Array.from({ length: random.few(6) + 1 }, () => wordOf(random)).join(random.pick(['', ' ', '/', '.', '-', '\n']))
  return random.chance(200) ? text.repeat(400) : text
}

export function checkNames(random: Random): void {
  const text = textOf(random)
  checkFileNames(random, text)
  checkShown(random, text)
  checkWords(text)
  const spoilt = spoil(random, formatFileName(1, 'urgent', idOf(random), text))
  const parsed = parseFileName(spoilt)
  if (parsed && `${parsed.rank}-${parsed.priority}.${parsed.id}.${parsed.slug}.md` !== spoilt) fail(`${JSON.stringify(spoilt)} is read as another name`)
}

const idOf = (random: Random): ReturnType<typeof formatId> =>
  formatId(random.below(2 ** 32) * 2 ** 16 + random.below(2 ** 16), random.below(5000), random.bytes(8))

function spoil(random: Random, name: string): string {
  const at = random.below(name.length + 1)
  return `${name.slice(0, at)}${random.chance(2) ? wordOf(random) : ''}${name.slice(at + random.below(3))}`
}

function checkFileNames(random: Random, subject: string): void {
  const id = idOf(random)
  if (!isMessageId(String(id))) fail(`the id ${String(id)} is none`)
  if (formatId(idTimeMs(id), 0, Buffer.alloc(8)).slice(0, 13) !== id.slice(0, 13)) fail(`the time of ${id} does not come back`)
  const slug = slugOf(subject)
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(slug) || slugOf(slug) !== slug) fail(`the slug ${JSON.stringify(slug)} of ${JSON.stringify(subject)}`)
  const [rank, priority] = [1 + random.below(9), random.pick(PRIORITIES)]
  const file = formatFileName(rank, priority, id, subject)
  if (JSON.stringify(parseFileName(file)) !== JSON.stringify({ rank, priority, id, slug })) fail(`${file} does not come back`)
  if (file.length > MOST_NAME_BYTES || isDraftName(file) || !isMessageName(file)) fail(`${file} is no good name`)
  const held = formatHeldName('bad-front-matter', id, subject)
  const found = parseHeldName(held)
  if (found?.code !== 'bad-front-matter' || found.id !== id || explainedBy(whyBeside(held)) !== held || explainedBy(held) !== undefined)
    fail(`${held} does not come back`)
  if (whyBeside(held).length > MOST_NAME_BYTES || parseFileName(held)) fail(`${held} is no good name`)
  const key = keyOf(subject)
  const alert = parseAlertFile(alertFile('tampered', key))
  if (alert?.key !== key || alert.code !== 'tampered') fail(`the alert about ${JSON.stringify(subject)} does not come back: ${key}`)
  if (isName(subject) && (isReserved(subject) || subject.length > 31)) fail(`${JSON.stringify(subject)} is taken for a name`)
}

function checkShown(random: Random, text: string): void {
  const shown = showSafely(text)
  if (UNSHOWABLE.test(shown) || showSafely(shown) !== shown) fail(`shown as ${JSON.stringify(shown)}`)
  if (UNSHOWABLE.test(showBodySafely(text).replace(/[\n\t]/g, ''))) fail(`shown in a body as ${JSON.stringify(showBodySafely(text))}`)
  const limit = 2 + random.below(60)
  const line = oneLine(text, limit)
  if (line.length > limit || /[\r\n]/.test(line)) fail(`one line of ${limit}: ${JSON.stringify(line)}`)
  const most = random.below(300)
  const cut = cutToBytes(text, most)
  if (Buffer.byteLength(cut) > most || !text.startsWith(cut)) fail(`${most} bytes of ${JSON.stringify(text)}: ${JSON.stringify(cut)}`)
  if (text.isWellFormed() && !cut.isWellFormed()) fail(`cut within a character: ${JSON.stringify(cut)}`)
}

/** What a shell makes of a word: the words of `fix:` mean the very file. */
function checkWords(text: string): void {
  if (!text.isWellFormed()) return
  const bytes = Buffer.from(text.slice(0, 500).toWellFormed())
  for (const given of [bytes.toString('utf8'), bytes]) {
    const word = shellWord(given)
    if (UNSHOWABLE.test(word)) fail(`a shell's word that cannot be shown: ${JSON.stringify(word)}`)
    if (given.length > 0 && !readWord(word).equals(bytes))
      fail(`a shell reads ${word} as ${JSON.stringify(readWord(word).toString())} instead of ${JSON.stringify(text)}`)
  }
  nearest(text, ['subject', 'status', 'priority'])
}

/** POSIX shell (2024), Quoting: '…', a backslash outside of quotes, and $'…' with octal escapes. Anything else is not ours. */
function readWord(word: string): Buffer {
  const octal = /^\$'((?:[^'\\]|\\[0-7]{3})*)'$/s.exec(word)?.[1]
  if (octal !== undefined) {
    const bytes = octal.replace(/\\([0-7]{3})|([^\\]+)/gs, (_, digits: string | undefined, plain: string | undefined) =>
      digits === undefined ? Buffer.from(plain ?? '').toString('latin1') : String.fromCharCode(Number.parseInt(digits, 8)),
    )
    return Buffer.from(bytes, 'latin1')
  }
  if (/^[A-Za-z0-9_./:@%+=-]+$/.test(word)) return Buffer.from(word)
  if (!/^(?:'[^']*'|\\')+$/s.test(word)) return fail(`no shell's word: ${JSON.stringify(word)}`)
  return Buffer.from(word.replace(/'([^']*)'|\\(')/gs, (_, plain: string | undefined, escaped: string | undefined) => plain ?? escaped ?? ''))
}
