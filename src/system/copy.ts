/** Whole files into new files: by their bytes, or by sharing blocks. */
import { createHash } from 'node:crypto'
import { closeSync, constants, copyFile, fchmodSync, fchownSync, fsync, ftruncateSync, openSync, read, unlinkSync, write } from 'node:fs'
import { promisify } from 'node:util'
import type { Disk, Owner, Path } from './types.ts'

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const CHUNK_BYTES = 256 * 1024
const ZEROS = Buffer.alloc(CHUNK_BYTES)
const readAsync = promisify(read)
const writeAsync = promisify(write)
const fsyncAsync = promisify(fsync)
const copyFileAsync = promisify(copyFile)

export function tooBig(limit: number): Error {
  return Object.assign(new Error(`EFBIG: more than ${limit} bytes`), { code: 'EFBIG' })
}

export async function copyOut(from: number, to: Path, limit: number, mode: number, owner?: Owner): Promise<{ bytes: number; sha256: string }> {
  const fd = openSync(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let bytes = 0
  try {
    while (bytes <= limit) {
      const { bytesRead } = await readAsync(from, chunk, 0, chunk.length, bytes)
      if (bytesRead === 0) break
      const part = chunk.subarray(0, bytesRead)
      hash.update(part)
      // Left as a hole: a file of nothing, sent to thirty, must not fill the disk.
      const isHole = part.equals(ZEROS.subarray(0, bytesRead))
      for (let done = isHole ? bytesRead : 0; done < bytesRead; ) done += (await writeAsync(fd, part, done, bytesRead - done, bytes + done)).bytesWritten
      bytes += bytesRead
    }
    if (bytes > limit) throw tooBig(limit)
    ftruncateSync(fd, bytes)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, mode)
    await fsyncAsync(fd)
    return { bytes, sha256: hash.digest('hex') }
  } catch (cause) {
    unlinkSync(to)
    throw cause
  } finally {
    closeSync(fd)
  }
}

/** What a file system without shared blocks answers: once is enough to know. */
const NO_CLONES = ['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ENOSYS']

export function makeClone(): Disk['clone'] {
  let clones = true
  return async (from, to, mode, owner) => {
    if (!clones) return false
    try {
      await copyFileAsync(from, to, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
    } catch (cause) {
      if (!NO_CLONES.includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause
      clones = false
      return false
    }
    const fd = openSync(to, O_RDONLY | O_NOFOLLOW)
    try {
      if (owner) fchownSync(fd, owner.uid, owner.gid)
      fchmodSync(fd, mode)
      await fsyncAsync(fd)
    } finally {
      closeSync(fd)
    }
    return true
  }
}
