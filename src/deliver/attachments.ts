/** Finds the files a message names, without following anything out of the sender's folders. */
import { cutToBytes, MOST_NAME_BYTES } from '../core/text.ts'
import { isLeased, leadsNowhere, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Fd, Path, Stat } from '../system/types.ts'
import type { FoundAttachment } from './types.ts'

export type AttachmentSearch = Readonly<{
  disk: Disk
  /** The drop's folder and its files/; of an agent also its home. */
  folder: string
  shown: string
  home: string | undefined
  limitBytes: number
  /** Whose file it may be. */
  mayOwn: (stat: Stat) => boolean
}>

export type AttachmentsFound =
  | { found: 'all'; files: readonly FoundAttachment[] }
  /** Not there, or still being written. */
  | { found: 'some'; missing: readonly string[] }
  | { found: 'refused'; code: 'too-large' | 'unsafe-file'; what: string }

export function findAttachments(names: readonly string[], search: AttachmentSearch): AttachmentsFound {
  const files: FoundAttachment[] = []
  const missing: string[] = []
  let refused: Extract<AttachmentsFound, { found: 'refused' }> | undefined
  let isHandedOver = false
  try {
    for (const name of names) {
      const result = findOne(name, search)
      if (result === undefined) missing.push(name)
      else if ('fd' in result) files.push({ ...result, name: uniqueName(result.name, files) })
      else refused ??= result
    }
    isHandedOver = !refused && missing.length === 0
    return refused ?? (isHandedOver ? { found: 'all', files } : { found: 'some', missing })
  } finally {
    // Also where one could not be looked for: what is looked for again each second must leave nothing open.
    if (!isHandedOver) for (const file of files) file.letGo()
  }
}

function findOne(name: string, search: AttachmentSearch): FoundAttachment | Extract<AttachmentsFound, { found: 'refused' }> | undefined {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  const base = parts.at(-1)
  if (base === undefined || parts.includes('..')) return undefined
  const beside = parts.length === 1 && !/\.md$/i.test(base)
  const places: { folder: string; shown: string; parts: string[]; taken: boolean }[] = []
  if (parts.length === 1) places.push({ folder: `${search.folder}/files`, shown: `${search.shown}/files`, parts, taken: true })
  if (beside) places.push({ folder: search.folder, shown: search.shown, parts, taken: true })
  if (search.home !== undefined) places.push({ folder: search.home, shown: '', parts, taken: false })
  let refused: Extract<AttachmentsFound, { found: 'refused' }> | undefined
  for (const place of places) {
    const result = openBeneath(search, place)
    if (result && 'fd' in result) return result
    // Somebody else's, or no file: put there to be found first, perhaps. The sender's own may lie in the next place.
    refused ??= result
  }
  return refused
}

function openBeneath(
  search: AttachmentSearch,
  place: { folder: string; shown: string; parts: readonly string[]; taken: boolean },
): FoundAttachment | Extract<AttachmentsFound, { found: 'refused' }> | undefined {
  const { disk } = search
  const folders: number[] = []
  try {
    let at: Path = place.folder
    for (const part of place.parts) {
      const folder = disk.openFolder(at)
      folders.push(folder)
      at = disk.at(folder, part)
    }
    const name = place.parts.at(-1) ?? ''
    const stat = statOrNothing(disk, at)
    if (!stat) return undefined
    if (stat.kind !== 'file' || stat.links > 1)
      return { found: 'refused', code: 'unsafe-file', what: `the attachment ${name} is not a plain file with one name` }
    if (stat.size > search.limitBytes)
      return { found: 'refused', code: 'too-large', what: `the attachment ${name} has ${stat.size} bytes; at most ${search.limitBytes}` }
    return take(search, disk.openRead(at), { name, ino: stat.ino, folder: place.taken ? place.shown : undefined })
  } catch (cause) {
    // A link on the way, or a folder that is none: the name leads nowhere that is the sender's.
    // One that its sender holds under a write lease is being written.
    if (leadsNowhere(cause) || isLeased(cause)) return undefined
    throw cause
  } finally {
    for (const fd of folders) disk.close(fd)
  }
}

/** Closes what it was given, unless it hands it on. `folder`: from which it is removed with its message. */
function take(
  { disk, mayOwn }: AttachmentSearch,
  fd: Fd,
  { name, ino, folder }: Readonly<{ name: string; ino: number; folder: string | undefined }>,
): FoundAttachment | Extract<AttachmentsFound, { found: 'refused' }> | undefined {
  let isTaken = false
  let isHandedOver = false
  const letGo = (): void => {
    if (isTaken) disk.lease.drop(fd)
    disk.close(fd)
  }
  try {
    const opened = disk.fstat(fd)
    if (opened.ino !== ino) return undefined
    if (!mayOwn(opened)) return { found: 'refused', code: 'unsafe-file', what: `the attachment ${name} belongs to somebody else` }
    isTaken = disk.lease.take(fd)
    if (!isTaken) return undefined
    // Asked only now: its last writer may have gone between the first look and the lease.
    const { dev, size, mtimeMs } = disk.fstat(fd)
    isHandedOver = true
    return { name, fd, source: folder === undefined ? undefined : { folder, name, dev, ino, size, mtimeMs }, letGo }
  } finally {
    if (!isHandedOver) letGo()
  }
}

/** `a.txt`, `a-2.txt`, `a-3.txt` …, cut where a file system would take no name as long. */
function uniqueName(name: string, taken: readonly { name: string }[]): string {
  const has = (candidate: string): boolean => taken.some((one) => one.name === candidate)
  if (!has(name)) return name
  const dot = name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length
  const numbered = (n: number): string => {
    const end = `-${n}${cutToBytes(name.slice(dot), MOST_NAME_BYTES / 2)}`
    return `${cutToBytes(name.slice(0, dot), MOST_NAME_BYTES - Buffer.byteLength(end))}${end}`
  }
  let n = 2
  while (has(numbered(n))) n++
  return numbered(n)
}
