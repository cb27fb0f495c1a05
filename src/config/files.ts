/** The files of `policies/` as they were read: the only input of `loadConfig`. */
import { createHash } from 'node:crypto'
import type { Complaint } from '../core/fault.ts'
import { describeComplaint } from '../core/fault.ts'
import { nearest } from '../core/names.ts'

/** A complaint about a file, whose path is relative to `policies/` (with `/` at the end: a folder; empty: `policies/` itself). */
export type Problem = Complaint & Readonly<{ file: string }>

export type PolicyFiles = Readonly<{
  /** Path relative to `policies/` → text. Programs that are not text are only in `sums`. */
  files: ReadonlyMap<string, string>
  /** Path → sha256, of every file that counts. */
  sums: ReadonlyMap<string, string>
  /** What could not be read. `loadConfig` passes them on. */
  problems: readonly Problem[]
}>

/** Folders whose files `loadConfig` judges, with the ending they have. */
export const OWN_FOLDERS: Readonly<Record<string, '.md' | '.yaml' | undefined>> = {
  agents: '.md',
  people: '.md',
  groups: '.yaml',
  schedules: '.md',
  providers: '.yaml',
}
/** Folders that are counted in the digest, and judged by others or later. */
const OTHER_FOLDERS = ['runners', 'authority', 'bridges', 'guarded']
const TOP_FILES = ['org.yaml', 'priorities.yaml']

/** Files made in code, as if they had been read. */
export function filesFrom(texts: Readonly<Record<string, string>>): PolicyFiles {
  const files = new Map(Object.entries(texts))
  return { files, sums: new Map([...files].map(([path, text]) => [path, sha256(text)])), problems: [] }
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** sha256 over the names and contents of all files. */
export function digestOf(sums: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const path of [...sums.keys()].sort()) hash.update(`${sums.get(path)} ${JSON.stringify(path)}\n`)
  return hash.digest('hex')
}

/** Editors' and version control's own: hidden names, and the endings that page 2 calls unfinished. */
export function isPassedOver(path: string): boolean {
  return path.split('/').some((part) => part.startsWith('.') || /(~|\.swp|\.tmp|\.part)$/.test(part) || /^#.*#$/.test(part))
}

/** What people put beside files to explain them; upper case, so no name of an agent. */
function isPaper(name: string): boolean {
  return /^(README|LICENSE|CHANGELOG)(\.md|\.txt)?$/.test(name)
}

/** Why a file has no place in `policies/`, if it has none: what nobody reads must not look as if it were configuration. */
export function misplaced(path: string): { what: string; near: string | undefined } | undefined {
  const [top = '', ...rest] = path.split('/')
  const name = rest.at(-1) ?? top
  if (isPaper(name)) return undefined
  if (rest.length === 0) {
    if (TOP_FILES.includes(top)) return undefined
    return { what: `no file of this name is read here; the files are ${TOP_FILES.join(' and ')}`, near: nearest(top, TOP_FILES) }
  }
  if (OTHER_FOLDERS.includes(top)) return undefined
  const folders = [...Object.keys(OWN_FOLDERS), ...OTHER_FOLDERS]
  const ending = Object.hasOwn(OWN_FOLDERS, top) ? OWN_FOLDERS[top] : undefined
  if (ending === undefined) return { what: `no folder ${top}/ is read; the folders are ${folders.join(', ')}`, near: nearest(top, folders) }
  if (rest.length > 1) return { what: `${top}/ has no folders in it: nothing reads this file`, near: `${top}/${name}` }
  if (!name.endsWith(ending))
    return { what: `files in ${top}/ end in ${ending}: nothing reads this one`, near: `${top}/${name.replace(/\.[^.]*$/, '')}${ending}` }
  return undefined
}

/** The members of a folder, by stem: `agents/legal.md` → `legal`. */
export function stemsIn(files: ReadonlyMap<string, string>, folder: string): Map<string, string> {
  const ending = OWN_FOLDERS[folder] ?? ''
  const stems = new Map<string, string>()
  for (const path of [...files.keys()].sort()) {
    const name = path.slice(folder.length + 1)
    if (path.startsWith(`${folder}/`) && !name.includes('/') && name.endsWith(ending) && !isPaper(name)) stems.set(name.slice(0, -ending.length), path)
  }
  return stems
}

/** `policies/agents/legal.md:3:1: … (did you mean …?)` */
export function describeProblem(problem: Problem): string {
  return describeComplaint(`policies/${problem.file}`, problem)
}
