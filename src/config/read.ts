/** policies/ on disk → PolicyFiles. Regular files only, no link followed, everything bounded. */

import { listTree, type TreeEntry } from '../system/tree.ts'
import type { Disk } from '../system/types.ts'
import { isPassedOver, type PolicyFiles, type Problem, sha256 } from './files.ts'

/** policies/agents/x.md is two deep; runners and later folders may nest a little. */
const DEEPEST = 8
const MOST_FILES = 50_000
/** Configuration is text of at most this size; programs in runners/ may be larger. */
const TEXT_BYTES = 256 * 1024
const PROGRAM_BYTES = 128 * 1024 * 1024
/** Folders whose files need not be text. */
const MAY_BE_BINARY = /^(runners|authority|bridges|guarded)\//

export function readPolicies(disk: Disk, dir: string): PolicyFiles {
  const files = new Map<string, string>()
  const sums = new Map<string, string>()
  const problems: Problem[] = []
  const complain = (file: string, what: string, spot?: Problem['spot']): void => {
    problems.push({ code: 'config-invalid', file, spot, what })
  }
  for (const entry of list(dir, complain)) {
    if (isPassedOver(entry.path)) continue
    if (entry.kind === 'folder') {
      if (entry.path.split('/').length >= DEEPEST) complain(`${entry.path}/`, `folders nested deeper than ${DEEPEST} are not read`)
      continue
    }
    if (entry.kind !== 'file') {
      complain(entry.path, entry.kind === 'link' ? 'links are not followed in policies/: put the file itself here' : 'only regular files are read in policies/')
      continue
    }
    if (sums.size >= MOST_FILES) {
      complain('', `more than ${MOST_FILES} files`)
      break
    }
    readOne(disk, dir, entry.path, files, sums, complain)
  }
  return { files, sums, problems }
}

type Complain = (file: string, what: string, spot?: Problem['spot']) => void

function list(dir: string, complain: Complain): readonly TreeEntry[] {
  try {
    return listTree(dir, DEEPEST)
  } catch (error) {
    complain('', `the folder cannot be read: ${reason(error)}`)
    return []
  }
}

function readOne(disk: Disk, dir: string, path: string, files: Map<string, string>, sums: Map<string, string>, complain: Complain): void {
  const mayBeBinary = MAY_BE_BINARY.test(path)
  const limit = mayBeBinary ? PROGRAM_BYTES : TEXT_BYTES
  try {
    const fd = disk.openRead(`${dir}/${path}`)
    try {
      const { kind } = disk.fstat(fd)
      const bytes = kind === 'file' ? disk.read(fd, limit + 1) : undefined
      if (bytes === undefined) return complain(path, 'only regular files are read in policies/')
      // Named even when it cannot be used, so that its agent counts as there and others may speak of it.
      sums.set(path, sha256(bytes))
      if (bytes.length > limit) return complain(path, `larger than ${limit} bytes`)
      const text = decode(bytes)
      if (text !== undefined) files.set(path, text)
      else if (!mayBeBinary) complain(path, 'not valid UTF-8', spotOfBadByte(bytes))
    } finally {
      disk.close(fd)
    }
  } catch (error) {
    sums.set(path, '')
    complain(path, `cannot be read: ${reason(error)}`)
  }
}

function decode(bytes: Uint8Array): string | undefined {
  if (bytes.length > TEXT_BYTES) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The place of the first byte that is not UTF-8: the longest prefix that decodes ends there. */
function spotOfBadByte(bytes: Uint8Array): Problem['spot'] {
  const before = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\ufffd', 1)[0]?.split('\n') ?? ['']
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

/** Our own sentence for what an operator meets, the system's code for the rest. */
function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === undefined) throw error
  if (code === 'ENOENT') return 'it is not there'
  return code === 'EACCES' || code === 'EPERM' ? 'permission denied' : code
}
