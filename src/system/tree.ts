/** Everything under a folder that nobody hostile writes in; fast-glob is for trusted trees only (it has no bound on width). */

import { statSync } from 'node:fs'
import fg from 'fast-glob'
import type { FileKind } from './types.ts'

/** `path` is relative to the folder, with `/` between its parts. */
export type TreeEntry = Readonly<{ path: string; kind: FileKind }>

/** Sorted by path; links are named and not followed; down to `deepest` levels. Throws Node's SystemError where the folder or one in it cannot be listed. */
export function listTree(folder: string, deepest: number): TreeEntry[] {
  // fast-glob answers for a folder that is not there as for an empty one, which must never be taken for "no files".
  if (!statSync(folder).isDirectory()) throw Object.assign(new Error(`not a folder: ${folder}`), { code: 'ENOTDIR' })
  const entries = fg.sync('**', {
    cwd: folder,
    deep: deepest,
    dot: true,
    onlyFiles: false,
    followSymbolicLinks: false,
    objectMode: true,
    suppressErrors: false,
    unique: true,
  })
  return entries
    .map(({ path, dirent }): TreeEntry => {
      const kind = dirent.isFile()
        ? 'file'
        : dirent.isDirectory()
          ? 'folder'
          : dirent.isSymbolicLink()
            ? 'link'
            : dirent.isFIFO()
              ? 'fifo'
              : dirent.isSocket()
                ? 'socket'
                : 'device'
      return { path, kind }
    })
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}
