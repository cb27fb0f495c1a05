/**
 * `penny hook posttooluse` is started after each tool of an agent, and nearly always has nothing to say. That is known by three looks at the
 * disk: nothing else of penny is loaded then, so that it costs hardly more than a start of Node.
 */
import { readFileSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isatty } from 'node:tty'
import { ASKED, isKey, orderFile } from '../core/orderfile.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `input`: what was read of standard input by then. */
export type Quick = Readonly<{ isDone: boolean; input?: Buffer }>

const WHOLE: Quick = { isDone: false }
const STDIN = 0
const PIECE_BYTES = 65_536
const PAUSE_MS = 5

/** Done where this is that hook, in a run of whose context nobody has asked a checkpoint. Anything odd is left to the whole program. */
export function lookAfterTool(words: readonly string[], env: Environment): Quick {
  const workspace = words.join(' ') === 'hook posttooluse' && !isatty(STDIN) ? workspaceOf(env) : undefined
  if (workspace === undefined) return WHOLE
  const input = readAll()
  try {
    const { session_id: said } = objectIn(input.toString('utf8'))
    const session = typeof said === 'string' && isKey(said) ? said : undefined
    const isOrdered = [session, env['PENNY_ID']].some((key) => key !== undefined && isKey(key) && isThere(join(workspace, 'runs', orderFile(key))))
    return { isDone: !isOrdered && !isRemembered(join(workspace, 'home', ASKED), session ?? ''), input }
  } catch {
    // The whole program says what is wrong.
    return { isDone: false, input }
  }
}

/** As `seatOf` of root.ts has it for a run. */
function workspaceOf({ PENNY_AGENT: agent, PENNY_MESSAGE: message }: Environment): string | undefined {
  if (!agent) return undefined
  if (isThere('/ws/new') && isThere('/ws/outbox')) return '/ws'
  return message && basename(dirname(message)) === 'cur' ? dirname(dirname(message)) : undefined
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function isRemembered(file: string, session: string): boolean {
  return isThere(file) && Object.hasOwn(objectIn(readFileSync(file, 'utf8')), session)
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
}

/** To its end: a client may not bear a pipe that breaks. */
function readAll(): Buffer {
  const pieces: Buffer[] = []
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE_BYTES)
    const size = readSome(piece)
    if (size === 0) return Buffer.concat(pieces)
    pieces.push(piece.subarray(0, size))
  }
}

/** Some clients hand over an end that does not wait. */
function readSome(piece: Buffer): number {
  for (;;) {
    try {
      return readSync(STDIN, piece)
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'EOF') return 0
      if (code !== 'EAGAIN') throw cause
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
  }
}
