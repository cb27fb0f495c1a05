/** A drop in the words of the rooms it goes through: who sent it, and which file it is. */
import { createHash } from 'node:crypto'
import type { Envelope } from '../core/message.ts'
import { showSafely } from '../core/text.ts'
import type { Dropped } from '../deliver/index.ts'
import type { DropFolder, Taken } from '../intake/index.ts'
import type { Source } from '../journal/index.ts'
import type { Listed, Stat } from '../system/types.ts'
import type { Sender } from './identities.ts'

export function envelopeOf(taken: Taken, sender: Sender): Envelope {
  const { folder, bytes } = taken
  return {
    from: 'unknownUid' in sender ? 'unknown' : sender.from,
    via: 'unknownUid' in sender ? 'unknown' : sender.via,
    folder: folder.shown,
    name: showSafely(taken.name),
    box: folder.kind === 'box' ? folder.name : undefined,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    arrivedMs: taken.stat.ctimeMs,
  }
}

export function droppedOf(taken: Taken): Dropped {
  return { source: sourceOf(taken.folder, taken, taken.stat), untouched: taken.untouched, letGo: taken.letGo }
}

export function sourceOf(folder: DropFolder, { name, raw }: Pick<Listed, 'name' | 'raw'>, { dev, ino, size, mtimeMs }: Stat): Source {
  return { folder: folder.shown, name, ...(raw ? { raw: raw.toString('base64') } : {}), dev, ino, size, mtimeMs }
}
