/** Whose the files are that lie in the folders of the table: as far as a few thousand tell. */
import { type Dir, lstatSync, opendirSync } from 'node:fs'
import { join } from 'node:path'
import { counted, shellWord, showSafely } from '../core/text.ts'
import type { Rule } from '../mailbox/index.ts'
import { type Finding, wrong } from './check.ts'
import { UNSEEN, unless } from './exit.ts'

/** Looked at in one folder, with all below it. */
const MOST_LOOKED_AT = 2_000
/** Months, attachments of one message; a home may be as deep as it likes. */
const DEEPEST = 8
const MOST_NAMED = 3
const PROCESS_FOLDERS = ['gateway', 'sockets', 'checkpoints']

type Foreign = Readonly<{ path: string; uid: number; links: number }>

export function checkContents(rule: Rule, uid: number, gid: number, asRootWord: string): Finding[] {
  const { path, contents } = rule
  // A held file is its sender's, and policies are whose of the operators wrote them.
  if (contents === undefined || contents === 'held' || contents === 'policies') return []
  const isHomely = contents === 'agent' || contents === 'person'
  const foreign: Foreign[] = []
  const gateway = contents === 'daemon' ? unless(UNSEEN, () => lstatSync(join(path, 'gateway')).uid) : undefined
  const budget = { left: MOST_LOOKED_AT }
  look(path, DEEPEST, budget, (one) => {
    // The gateway's process has folders of its own there.
    if (one.uid === gateway && PROCESS_FOLDERS.some((name) => `${one.path}/`.startsWith(`${path}/${name}/`))) return
    // What root puts into a home is for its holder to read.
    if (one.uid !== uid && !(isHomely && one.uid === 0)) foreign.push(one)
  })
  if (foreign.length === 0) return []
  const named = foreign.slice(0, MOST_NAMED)
  const list = named.map(({ path: at, uid: of }) => `${showSafely(at.slice(path.length + 1))} (uid ${of})`).join(', ')
  const what = `${counted(foreign.length, 'entry', 'entries')}${budget.left > 0 ? '' : ' at least'} in ${path} ${foreign.length === 1 ? 'belongs' : 'belong'} to others than uid ${uid}: ${list}`
  const filesWord = named.map(({ path: at }) => shellWord(at)).join(' ')
  const idsWord = shellWord(`${uid}:${gid}`)
  const chownCommand = `${asRootWord}chown -h ${idsWord}`
  // Where its holder writes, anything may have been moved or linked there to be given away.
  const isOurs = rule.user === 'daemon' && foreign.every(({ links }) => links === 1)
  return [wrong('owners', what, isOurs ? `${chownCommand} ${filesWord}` : `${asRootWord}ls -ldn ${filesWord}   # each that is its own: ${chownCommand} FILE`)]
}

/** Piece by piece: a home may hold a million files. */
function look(folder: string, deepest: number, budget: { left: number }, found: (one: Foreign) => void): void {
  const open: Dir | undefined = unless([...UNSEEN, 'ELOOP'], () => opendirSync(folder, { bufferSize: 64 }))
  if (!open) return
  try {
    for (let entry = open.readSync(); entry && budget.left-- > 0; entry = open.readSync()) {
      const path = join(folder, entry.name)
      const stat = unless(UNSEEN, () => lstatSync(path))
      if (!stat) continue
      found({ path, uid: stat.uid, links: stat.isDirectory() ? 1 : stat.nlink })
      if (stat.isDirectory() && deepest > 1) look(path, deepest - 1, budget, found)
    }
  } finally {
    open.closeSync()
  }
}
