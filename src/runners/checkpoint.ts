/** What an agent has noted of its work, so that it can go on with an empty context: home/checkpoint.md and `progress` in the message. */
import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseMessage, rewrite } from '../message/index.ts'
import type { Situation } from './situation.ts'

/** A checkpoint is to be small against any window. */
const MOST_CHARACTERS = 60_000
const MOST_PROGRESS = 200
const FRONT_MATTER = { frontMatterBytes: 1024 ** 2 }

/** undefined: there is none. What lies in the home may be of other work by now; then the daemon's copy of what was noted of this counts. */
export function readCheckpoint({ home, id, progress, attempt, checkpoint }: Situation): string | undefined {
  const own = textIn(join(home, 'checkpoint.md'))
  const of = /^message: *"?([0-9a-f-]+)"?/m.exec(own ?? '')?.[1]
  if (of === id) return own
  const kept = checkpoint === undefined ? undefined : textIn(checkpoint)
  // Agents write it by hand, too: without an id it counts where this is not the first that is heard of the message.
  return kept ?? (of === undefined && (progress !== undefined || attempt > 1) ? own : undefined)
}

function textIn(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return text.trim() === '' ? undefined : text.slice(0, MOST_CHARACTERS)
  } catch (cause) {
    if (['ENOENT', 'EISDIR', 'EACCES', 'ELOOP'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
}

/** In one step: whoever is killed here leaves the old one or the new one. */
export function writeCheckpoint({ home, id }: Pick<Situation, 'home' | 'id'>, text: string): void {
  replace(home, join(home, 'checkpoint.md'), `message: ${id}\n\n${text.slice(0, MOST_CHARACTERS).trimEnd()}\n`, 0o600)
}

/** Into the message's front matter, where the sender sees it. Whether it is there: the file may have been moved or settled meanwhile. */
export function writeProgress({ home, path }: Pick<Situation, 'home' | 'path'>, progress: string): boolean {
  const line = progress.replaceAll(/\s+/g, ' ').trim().slice(0, MOST_PROGRESS)
  try {
    const parsed = parseMessage(readFileSync(path), FRONT_MATTER)
    if (line === '' || !parsed.ok) return false
    const { mode } = statSync(path)
    replace(home, path, rewrite(parsed.message.text, { progress: line }), mode & 0o777)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw cause
  }
}

function replace(home: string, path: string, text: string, mode: number): void {
  const fresh = join(home, `.fresh.${randomUUID()}`)
  writeFileSync(fresh, text, { mode, flag: 'wx' })
  renameSync(fresh, path)
}
