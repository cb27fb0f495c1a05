/**
 * Front matter, read at once where every line is plain, as the daemon writes it; anything else is the message room's, which is
 * loaded only then: its parsers take as long to load as Node itself (goal of page 4: a command starts within 2.5 × `node -e 0`).
 */
import { closeSync, fstatSync, readFileSync, readSync } from 'node:fs'
import { splitFrontMatter } from '../core/frontmatter.ts'
import type { Value } from '../core/message.ts'
import { readPlain } from '../core/plain.ts'
import { shellWord } from '../core/text.ts'
import { EXIT, GONE, refuse, unless } from './exit.ts'
import { openPlain } from './holder.ts'

export type Values = Readonly<Record<string, Value>>
export type Shown = Readonly<{ text: string; values: Values; body: string }>

/** Front matter may be any size that org.yaml allows; nothing sensible is larger. */
const LARGEST_HEAD = 4 * 1024 * 1024
/** Messages are 1 MiB at most by default (contract, page 2); a holder may make a file of any size. */
const LARGEST_SHOWN = 256 * 1024 * 1024
const FIRST_READ = 4096
const NO_VALUES: Values = {}

/** The front matter of a message file; undefined: it is gone. Of one that does not parse: nothing. */
export async function readHead(path: string): Promise<Values | undefined> {
  const bytes = unless(GONE, () => readFront(path))
  if (!bytes) return undefined
  const split = splitFrontMatter(bytes.toString('utf8'))
  const quick = split.kind === 'parts' ? plainValues(split.yaml) : undefined
  if (quick) return quick
  const { parseHead } = await import('../message/index.ts')
  const parsed = parseHead(bytes, { frontMatterBytes: LARGEST_HEAD })
  return parsed.ok ? parsed.message.values : NO_VALUES
}

/** The whole message; undefined: it is gone. */
export async function readMessage(path: string): Promise<Shown | undefined> {
  const fd = unless(GONE, () => openPlain(path) ?? refusePlain(path, 'it is no plain file: its holder put something else in its place'))
  if (fd === undefined) return undefined
  try {
    if (fstatSync(fd).size > LARGEST_SHOWN) refusePlain(path, `it is larger than ${LARGEST_SHOWN / 1024 ** 2} MiB`)
    return await shownOf(readFileSync(fd))
  } finally {
    closeSync(fd)
  }
}

export async function shownOf(bytes: Uint8Array): Promise<Shown> {
  const text = Buffer.from(bytes).toString('utf8')
  const split = splitFrontMatter(text)
  const quick = split.kind === 'parts' ? plainValues(split.yaml) : undefined
  if (quick && split.kind === 'parts') return { text, values: quick, body: split.body }
  const { parseMessage } = await import('../message/index.ts')
  const parsed = parseMessage(bytes, { frontMatterBytes: LARGEST_HEAD })
  return parsed.ok ? { text, values: parsed.message.values, body: text.slice(parsed.message.bodyAt) } : { text, values: NO_VALUES, body: text }
}

function refusePlain(path: string, why: string): never {
  return refuse(EXIT.badMessage, `${path} cannot be shown`, why, `ls -l ${shellWord(path)}`)
}

function readFront(path: string): Buffer {
  const fd = openPlain(path)
  if (fd === undefined) return Buffer.alloc(0)
  try {
    const { size } = fstatSync(fd)
    for (let limit = FIRST_READ; ; limit *= 8) {
      const buffer = Buffer.allocUnsafe(Math.min(limit, size, LARGEST_HEAD))
      const bytes = buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0))
      if (bytes.length < limit || limit >= LARGEST_HEAD || bytes.indexOf('\n---\n', 3) >= 0) return bytes
    }
  } finally {
    closeSync(fd)
  }
}

/** undefined: there is a line that one cannot be sure of. */
function plainValues(yaml: string): Values | undefined {
  const entries = readPlain(yaml)
  return entries && Object.assign(Object.create(null) as Record<string, Value>, Object.fromEntries(entries.map(({ key, value }) => [key, value])))
}
