/** What a hook finds of the context in which it is called: in folders that the agent writes, or may only read. */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, readFileSync, readSync, renameSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { type Asked, CHECKPOINT, type Order, readOrder } from '../context/index.ts'
import { ASKED, isKey, orderFile } from '../core/orderfile.ts'
import type { Call } from './command.ts'
import { create, writeAll } from './drop.ts'
import { GONE, UNSEEN, unless } from './exit.ts'
import { openPlain, within } from './holder.ts'
import type { Seat } from './root.ts'

/** What its client says to a hook. */
export type Said = Readonly<{ session: string | undefined; source: string | undefined }>

const MOST_SESSIONS = 16
const MOST_BYTES = 64 * 1024
/** A tool's output stands in what some hooks are told. */
const MOST_INPUT = 64 * 1024 * 1024

export async function readSaid({ surroundings }: Call): Promise<Said> {
  const chunks: Buffer[] = []
  let size = 0
  if (!surroundings.stdinIsTerminal)
    for await (const chunk of surroundings.stdin) {
      const bytes = Buffer.from(chunk as Buffer | string)
      size += bytes.length
      if (size <= MOST_INPUT) chunks.push(bytes)
    }
  const { session_id: session, source } = objectIn(Buffer.concat(chunks).toString('utf8'))
  return { session: typeof session === 'string' && isKey(session) ? session : undefined, source: typeof source === 'string' ? source : undefined }
}

/** Anything else is an object with nothing in it. */
function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch (cause) {
    if (cause instanceof SyntaxError) return {}
    throw cause
  }
}

/** The order for this session, or for the message of this run. */
export function findOrder({ workspace }: Seat, { session }: Said, message: string | undefined): Order | undefined {
  for (const key of [session, message]) {
    if (key === undefined || !isKey(key)) continue
    const text = readPlainFile(join(workspace, 'runs', orderFile(key)))?.text
    const order = text === undefined ? undefined : readOrder(text)
    if (order) return order
  }
  return undefined
}

export type Home = Readonly<{ asked: Asked | undefined; checkpoint: { mtimeMs: number; bytes: number } | undefined }>

export function lookHome({ workspace }: Seat, { session }: Said): Home {
  return within(join(workspace, 'home'), (at) => {
    const checkpoint = unless(UNSEEN, () => readPlainFile(join(at, CHECKPOINT)))
    return {
      asked: memoryIn(at)[session ?? ''],
      checkpoint: checkpoint && { mtimeMs: checkpoint.stat.mtimeMs, bytes: checkpoint.text.trim().length },
    }
  })
}

/** undefined: it need not be remembered any more. Throws what the disk refuses. */
export function remember({ workspace }: Seat, { session }: Said, asked: Asked | undefined): void {
  within(join(workspace, 'home'), (at) => {
    const { [session ?? '']: before, ...others } = memoryIn(at)
    if (asked === undefined && before === undefined) return
    const kept = Object.entries(others).slice(asked === undefined ? 0 : 1 - MOST_SESSIONS)
    const text = JSON.stringify(Object.fromEntries([...kept, ...(asked === undefined ? [] : [[session ?? '', asked]])]))
    const unfinished = join(at, `${ASKED}.${randomBytes(8).toString('hex')}.tmp`)
    create(unfinished, (fd) => {
      writeAll(fd, Buffer.from(text))
      renameSync(unfinished, join(at, ASKED))
    })
  })
}

function memoryIn(home: string): Readonly<Record<string, Asked | undefined>> {
  const text = readPlainFile(join(home, ASKED))?.text
  const entries = Object.entries(text === undefined ? {} : objectIn(text)).filter((entry): entry is [string, Asked] => isAsked(entry[1]))
  return Object.fromEntries(entries)
}

function isAsked(value: unknown): value is Asked {
  const { sinceMs, times } = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>
  return typeof sinceMs === 'number' && typeof times === 'number'
}

/** Its beginning, as text; undefined: it is not there, or no plain file. */
export function readPlainFile(path: string): { text: string; stat: Stats } | undefined {
  const fd = unless(GONE, () => openPlain(path))
  if (fd === undefined) return undefined
  try {
    const stat = fstatSync(fd)
    if (stat.size <= MOST_BYTES) return { text: readFileSync(fd, 'utf8'), stat }
    const bytes = Buffer.alloc(MOST_BYTES)
    return { text: bytes.toString('utf8', 0, readSync(fd, bytes, 0, MOST_BYTES, 0)), stat }
  } finally {
    closeSync(fd)
  }
}
