/** Mail as it lies in the folders: names first, because they carry urgency, id and place; heads only when asked. */
import { readdirSync } from 'node:fs'
import type { Named } from '../core/row.ts'
import { FOLDERS } from '../core/status.ts'
import { layoutOf, parseFileName } from '../mailbox/index.ts'
import { GONE, unless } from './exit.ts'
import { readRoster } from './roster.ts'

export type Place = Named

/** What may not be looked at, said once at the end. */
export type Unseen = Set<string>

const MONTH = /^\d{4}-\d{2}$/

/** Messages in these folders of one mailbox; `done` includes its months. Folders that may not be read are added to `unseen`. */
export function listMailbox(workspace: string, holder: string, folders: readonly Place['folder'][], unseen: Unseen = new Set()): Place[] {
  const found: Place[] = []
  const look = (folder: Place['folder'], path: string): void => {
    const names = unless(GONE, () => unless(['EACCES', 'EPERM'], () => readdirSync(path)) ?? void unseen.add(path)) ?? []
    for (const file of names) {
      const name = parseFileName(file)
      if (name) found.push({ holder, folder, file, path: `${path}/${file}`, id: name.id, rank: name.rank, priority: name.priority })
      else if (folder === 'done' && MONTH.test(file)) look('done', `${path}/${file}`)
    }
  }
  for (const folder of folders) look(folder, `${workspace}/${folder}`)
  return found
}

/** Everybody's. In a folder that belongs to nobody (of who was removed, or renamed) lies only what nobody else has: a message has one place. */
export function listMail(root: string, folders: readonly Place['folder'][], unseen: Unseen): Place[] {
  const layout = layoutOf(root)
  const list = (holders: readonly string[], where: readonly Place['folder'][]): Place[] =>
    holders.flatMap((holder) => listMailbox(layout.workspace(holder), holder, where, unseen))
  const names = holdersOnDisk(root, unseen)
  const roster = readRoster(root)
  if (!roster) return list(names, folders)
  const known = new Set([...roster.agents, ...roster.people])
  const holders = names.filter((name) => known.has(name))
  const places = list(holders, folders)
  const left = list(
    names.filter((name) => !known.has(name)),
    folders,
  )
  if (left.length === 0) return places
  const elsewhere = new Set(list(holders, FOLDERS).map(({ id }) => id))
  return [...places, ...left.filter(({ id }) => !elsewhere.has(id))]
}

/** Names under workspaces/, which only the daemon's user may list in system mode (0711). */
function holdersOnDisk(root: string, unseen: Unseen): string[] {
  const { workspaces } = layoutOf(root)
  const entries = unless(GONE, () => unless(['EACCES', 'EPERM'], () => readdirSync(workspaces, { withFileTypes: true })) ?? void unseen.add(workspaces)) ?? []
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

/** The order of service. */
export function byService(a: Readonly<{ rank: number; id: string }>, b: Readonly<{ rank: number; id: string }>): number {
  return a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
