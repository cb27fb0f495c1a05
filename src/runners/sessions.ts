/** Sessions of Claude Code: one for each message, found again after a crash by what it keeps of them itself. */
import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One that cannot be resumed is followed by the next; more than these are never made. */
const MOST = 20

export type Session = Readonly<{ id: string; exists: boolean }>

/** The newest that there is of this message; else the first, not begun. */
export function sessionFor(configFolder: string, messageId: string): Session {
  const known = transcriptsIn(configFolder)
  for (let n = MOST - 1; n >= 0; n--) if (known.has(uuidOf(messageId, n))) return { id: uuidOf(messageId, n), exists: true }
  return { id: uuidOf(messageId, 0), exists: false }
}

/** After one that could not be resumed; undefined: there were too many. */
export function sessionAfter(messageId: string, { id }: Session): Session | undefined {
  const n = Array.from({ length: MOST - 1 }, (_, i) => i).find((i) => uuidOf(messageId, i) === id)
  return n === undefined ? undefined : { id: uuidOf(messageId, n + 1), exists: false }
}

/** Ids with a transcript that is not empty: projects/FOLDER/ID.jsonl. */
function transcriptsIn(configFolder: string): Set<string> {
  const projects = join(configFolder, 'projects')
  const ids = listOf(projects).flatMap((folder) =>
    listOf(join(projects, folder)).flatMap((file) => {
      if (!file.endsWith('.jsonl')) return []
      return statSync(join(projects, folder, file), { throwIfNoEntry: false })?.size ? [file.slice(0, -'.jsonl'.length)] : []
    }),
  )
  return new Set(ids)
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return []
    throw cause
  }
}

/** RFC 9562, version 8: the bytes are our own. */
function uuidOf(messageId: string, n: number): string {
  const hex = createHash('sha256').update(`${messageId} ${n}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
