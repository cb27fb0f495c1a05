/** Small files of state that the daemon alone keeps: whole and on the medium, or as they were. */
import type { Disk } from './types.ts'

/**
 * Writes `path` anew. One writer a path at a time; a crash may leave `<path>.new` behind, which the next call removes.
 * Rejects (ENOSPC …) with `path` unchanged.
 */
export async function replaceFile(disk: Disk, path: string, text: string): Promise<void> {
  const fresh = `${path}.new`
  removeFile(disk, fresh)
  disk.create(fresh, text, 0o600)
  await disk.syncPath(fresh)
  disk.rename(fresh, path)
  await disk.syncPath(folderOf(path))
}

/** Resolves when a power cut cannot bring the file back. One that is not there is removed. */
export async function removeDurably(disk: Disk, path: string): Promise<void> {
  removeFile(disk, path)
  await disk.syncPath(folderOf(path))
}

/** What `replaceFile` wrote last, or undefined. */
export function readKept(disk: Disk, path: string): string | undefined {
  try {
    return disk.readFile(path).toString('utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

function removeFile(disk: Disk, path: string): void {
  try {
    disk.unlink(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
