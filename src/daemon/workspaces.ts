/** Places under workspaces/ where nobody looks for mail: folders that belong to nobody, files beside a mailbox. What lies there is told. */
import { isContextFile } from '../context/index.ts'
import { type Config, holdersOf, isHolder } from '../core/config.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { counted, shellPath, shellWord } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import { isMessageName, isRacy, type Layout, type Ledger, listOrNothing, type Mail, parseFileName, statOrNothing } from '../mailbox/index.ts'
import { join } from '../system/index.ts'
import type { Clock, Disk, Listed, Stat } from '../system/types.ts'
import { escaped, isOddName } from './folders.ts'

export type WorkspacesGiven = Readonly<{
  disk: Disk
  clock: Clock
  layout: Layout
  config: () => Config
  ledger: Ledger
  recall: (id: MessageId) => Mail | undefined
  raise: Raise
  clear: Clear
  /** What is told already, also from before a restart. */
  told: () => readonly Readonly<{ code: string; about: string }>[]
}>

/** By these a repository keeps an empty folder. */
const KEPT_BY_GIT = ['.gitkeep', '.gitignore']
const FOLDERS = ['new', 'cur', 'done', 'outbox', 'sent', 'attachments', 'runs', 'home']
/** What a fix put aside in attachments/: a person has no home/ for it. */
const WAS = /^was-./
/** A stray is told after this long (contract, page 1), milliseconds. */
const STRAY_MS = 10_000
/** Each holder is looked at so often, but not more of them in one sweep: with the time between two listings of one folder this bounds its cost. */
const ROUND_SWEEPS = 8
const A_SWEEP = 30
const LISTED_EACH_MS = 2
/** Of one folder: told one by one. */
const MOST_STRAYS = 100
const MOST_NAMED = 10
/** Messages by which the holder of a renamed folder is known again. */
const MOST_ASKED = 16

type Stray = { readonly folder: string; readonly entry: Listed; told: boolean }

/** Once every message is known, each second or so. */
export function makeWorkspacesSweep(given: WorkspacesGiven): () => void {
  const { disk, clock, layout, config, ledger, raise, clear } = given
  const strays = new Map<string, Stray>()
  const listed = new Map<string, { ctimeMs: number; againAtMs: number }>()
  const inodes = new Map<number, Name>()
  /** Folders of nobody, whose mail was looked through once. */
  const asked = new Map<string, Name | undefined>()
  const nobodys = new Map<string, string>()
  /** By what they lie in: names of folders that belong to nobody, of what lies in their outbox/. */
  let unowned: readonly string[] = []
  const drops = new Map<string, readonly string[]>()
  let seen: Config | undefined
  let next = 0

  /** What is new in a folder that changed; undefined: nothing changed, or its turn has not come. */
  function entriesOf(path: string, stat = statOrNothing(disk, path)): Listed[] | undefined {
    const known = listed.get(path)
    const now = clock.monotonic()
    if (stat?.kind !== 'folder') {
      listed.delete(path)
      return []
    }
    if (known && (known.ctimeMs === stat.ctimeMs || now < known.againAtMs)) return undefined
    const entries = listOrNothing(disk, path)
    listed.set(path, { ctimeMs: isRacy(stat.ctimeMs, clock.now()) ? -1 : stat.ctimeMs, againAtMs: now + LISTED_EACH_MS * entries.length })
    return entries
  }

  function lookIn(folder: string, entries: readonly Listed[] | undefined, belongs: (entry: Listed) => boolean): void {
    if (!entries) return
    const odd = new Map(
      entries
        .filter((entry) => !belongs(entry))
        .slice(0, MOST_STRAYS)
        .map((entry) => [`${folder}/${escaped(entry)}`, entry]),
    )
    for (const [about, stray] of strays) if (stray.folder === folder && !odd.has(about)) forget(about, stray)
    for (const [about, entry] of odd) if (!strays.has(about)) strays.set(about, { folder, entry, told: false })
  }

  function forget(about: string, stray: Stray): void {
    strays.delete(about)
    if (stray.told) clear('unmatched-file', about)
  }

  function tellStrays(): void {
    for (const [about, stray] of strays) {
      if (stray.told) continue
      const { folder, entry } = stray
      const stat = statOrNothing(disk, join(`${layout.root}/${folder}`, entry.raw ?? entry.name))
      if (!stat) {
        forget(about, stray)
        continue
      }
      // Since it came to lie there, which nobody can set.
      if (clock.now() - stat.ctimeMs < STRAY_MS) continue
      stray.told = true
      const [, holder = ''] = folder.split('/')
      raise({
        code: 'unmatched-file',
        about,
        ...(holder === '' ? {} : { agent: holder }),
        sentence: `${about} (${stat.kind}, ${formatSize(stat.size)}) lies where no mail is looked for: it is neither sent nor read by anybody.`,
        fix: fixForStray(folder, entry, holder, stat.kind),
      })
    }
  }

  function fixForStray(folder: string, { name, raw }: Listed, holder: string, kind: Stat['kind']): string {
    const strayWord = shellPath(folder, name, raw)
    if (isMessageName(name) && kind === 'file')
      return `mv -n ${strayWord} ${shellWord(holder === '' ? 'spool/' : `workspaces/${holder}/outbox/`)}   # to send it`
    if (config().agents.has(holder as Name)) return `mv -n ${strayWord} ${shellWord(`workspaces/${holder}/home/`)}`
    // Somebody's own, perhaps, so it must not go where others can read it. A person has no home/ there.
    if (holder === '') return `mv -n ${strayWord} ../   # or where it belongs`
    const keptWord = shellWord(`workspaces/${holder}/attachments/was-beside/`)
    return `mkdir -p ${keptWord} && mv -n ${strayWord} ${keptWord}   # or where it belongs`
  }

  function lookAtHolder(holder: Name): void {
    const shown = `workspaces/${holder}`
    const stat = statOrNothing(disk, layout.workspace(holder))
    if (stat) inodes.set(stat.ino, holder)
    // `.was-1`: what lay in a folder's place, set aside and told when the folder was made again.
    lookIn(shown, entriesOf(layout.workspace(holder), stat), ({ name }) => FOLDERS.includes(name.replace(/\.was-\d$/, '')))
    lookIn(`${shown}/sent`, entriesOf(layout.sent(holder)), ({ name }) => parseFileName(name) !== undefined)
    lookIn(`${shown}/attachments`, entriesOf(layout.attachments(holder)), ({ name, kind }) => isMessageId(name) || (kind === 'folder' && WAS.test(name)))
    if (config().agents.has(holder))
      lookIn(`${shown}/runs`, entriesOf(layout.runs(holder)), ({ name }) => (name.endsWith('.log') && isMessageId(name.slice(0, -4))) || isContextFile(name))
  }

  /** Whose folder this was, by its inode or by the mail in it. */
  function ownerOf(name: string): Name | undefined {
    const stat = statOrNothing(disk, layout.workspace(name))
    const known = stat && inodes.get(stat.ino)
    if (stat === undefined || known !== undefined) return known
    const key = `${name}:${stat.ino}`
    if (!asked.has(key)) asked.set(key, ownerByMail(name))
    return asked.get(key)
  }

  function ownerByMail(name: string): Name | undefined {
    const ids = (['cur', 'new', 'done'] as const)
      .flatMap((folder) => listOrNothing(disk, layout.folder(name, folder)))
      .slice(0, MOST_ASKED)
      .flatMap((entry) => parseFileName(entry.name)?.id ?? [])
    for (const id of ids) {
      const mail = given.recall(id)
      if (mail) return mail.holder
    }
    return undefined
  }

  function unsentOf(name: string): readonly string[] {
    const entries = entriesOf(layout.outbox(name))
    const unsent = entries?.flatMap((entry) => (entry.kind === 'folder' ? [] : [escaped(entry)])) ?? drops.get(name) ?? []
    drops.set(name, unsent)
    return unsent
  }

  function lookAtNobodys(name: string): string | undefined {
    const shown = `workspaces/${name}`
    const unsettled = [...ledger.of(name as Name).values()].filter(({ status }) => status !== null).map(({ id }) => id)
    const unsent = unsentOf(name)
    const owner = ownerOf(name)
    // Of somebody who was removed all that is settled may stay as it is.
    if (owner === name && unsettled.length === 0 && unsent.length === 0) return undefined
    const inOutbox = unsent.length === 0 ? '' : ` In its outbox/, not sent: ${listing(unsent)}.`
    const orphaned = unsettled.length === 0 ? '' : ` ${counted(unsettled.length, 'task')} of ${name} that nobody will do: ${listing(unsettled)}.`
    const was =
      owner !== undefined && owner !== name ? ` It is what was workspaces/${owner}/: its home/, done/ and whatever else lies in it is missing there.` : ''
    return tell(shown, {
      sentence: `${shown}/ belongs to nobody: no agent or person is called ${name}, and nothing in it is looked at.${was}${inOutbox}${orphaned}`,
      fix: fixForFolder(name, owner, unsettled),
    })
  }

  function fixForFolder(name: string, owner: Name | undefined, unsettled: readonly MessageId[]): string {
    const shownWord = shellWord(`workspaces/${name}`)
    if (owner !== undefined && owner !== name && isHolder(config(), owner)) {
      const keptWord = shellWord(`workspaces/${owner}/${config().agents.has(owner) ? 'home' : 'attachments'}/was-${name}`)
      // Nothing is replaced: what is there already is newer.
      return `cp -an ${shownWord}/. ${shellWord(`workspaces/${owner}/`)}; mv -T ${shownWord} ${keptWord}`
    }
    if (owner === name || unsettled.length > 0) {
      const cancel = unsettled.slice(0, MOST_NAMED).map((id) => `penny set ${id} status=cancelled`)
      const insteadCommand = cancel.length === 0 ? '' : `   # to withdraw instead: ${cancel.join(' && ')}`
      return `printf '%s\\n' --- ${shellWord(`title: ${name}`)} --- ${shellWord(`You are ${name}.`)} > ${shellWord(`policies/agents/${name}.md`)}${insteadCommand}`
    }
    return `find ${shownWord} -type f   # move what is somebody's to where it belongs, then remove the folder`
  }

  function tell(about: string, { sentence, fix }: Readonly<{ sentence: string; fix: string }>): string {
    if (nobodys.get(about) !== sentence) raise({ code: 'unmatched-file', about, sentence, fix })
    nobodys.set(about, sentence)
    return about
  }

  function lookAtWorkspaces(): void {
    // Who is known now decides what is whose.
    if (seen !== config()) listed.delete(layout.workspaces)
    seen = config()
    const entries = entriesOf(layout.workspaces)
    if (!entries) return
    const isWorkspace = (entry: Listed): boolean => entry.kind === 'folder' && !isOddName(entry)
    lookIn('workspaces', entries, (entry) => isWorkspace(entry) || KEPT_BY_GIT.includes(entry.name))
    unowned = entries.filter((entry) => isWorkspace(entry) && !isHolder(config(), entry.name)).map(({ name }) => name)
    for (const name of drops.keys()) if (!unowned.includes(name)) drops.delete(name)
  }

  /** What was mended while the daemon was down: the alerts themselves would wait a quarter of an hour for it to be found again. */
  function closePast(): void {
    for (const { code, about } of given.told())
      if (code === 'unmatched-file' && about.startsWith('workspaces/') && !statOrNothing(disk, `${layout.root}/${about}`)) clear(code, about)
  }

  return () => {
    if (next === 0) closePast()
    const holders = holdersOf(config())
    for (let left = Math.min(A_SWEEP, Math.ceil(holders.length / ROUND_SWEEPS)); left > 0; left--) {
      const holder = holders[next++ % holders.length]
      if (holder !== undefined) lookAtHolder(holder)
    }
    lookAtWorkspaces()
    tellStrays()
    const present = new Set(unowned.slice(0, MOST_STRAYS).map(lookAtNobodys))
    for (const about of nobodys.keys()) {
      if (present.has(about)) continue
      nobodys.delete(about)
      clear('unmatched-file', about)
    }
  }
}

function listing(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
