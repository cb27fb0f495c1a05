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

/** undefined: there is none, or it is of other work. */
export function readCheckpoint({ home, id, progress, attempt }: Situation): string | undefined {
  let text: string
  try {
    text = readFileSync(join(home, 'checkpoint.md'), 'utf8')
  } catch (cause) {
    if (['ENOENT', 'EISDIR', 'EACCES', 'ELOOP'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
  const of = /^message: *"?([0-9a-f-]+)"?/m.exec(text)?.[1]
  // Agents write it by hand, too: without an id it counts where this is not the first that is heard of the message.
  const isOurs = of === undefined ? progress !== undefined || attempt > 1 : of === id
  return isOurs && text.trim() !== '' ? text.slice(0, MOST_CHARACTERS) : undefined
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
