/** What cannot stay in its place is kept in attachments/<id>/ of its holder. */
import { shellWord } from '../core/text.ts'
import { type Mail, statOrNothing } from '../mailbox/index.ts'
import type { Path, Stat } from '../system/types.ts'
import type { SettleGiven } from './types.ts'

/** Texts of one message that are kept, of each kind: who spoils it in a loop fills no disk with copies that it may not remove. */
const MOST_KEPT = 8
const KEPT = /^(\w+)-\d{8}T\d{9}Z-[0-9a-f]{4}\.md$/

/** Moves what lies there to attachments/<id>/, unread, whatever it is. Returns where it is kept, relative to the root. */
export function setAside(given: SettleGiven, mail: Pick<Mail, 'holder' | 'id'>, path: Path, what: string): string {
  const name = `${what}-${given.ids.secret().slice(0, 8)}`
  given.disk.rename(path, given.pins.at(attachmentFolder(given, mail), name))
  return `workspaces/${mail.holder}/attachments/${mail.id}/${name}`
}

function attachmentFolder(given: SettleGiven, { holder, id }: Pick<Mail, 'holder' | 'id'>): string {
  const folder = `${given.layout.attachments(holder)}/${id}`
  if (!statOrNothing(given.disk, folder)) given.disk.makeFolder(folder, 0o750, given.givenOwner(holder))
  return folder
}

/** What lies in the place of a message may be another's file, which the daemon must not read for this holder: it goes aside, and is told. */
export function setUnsafeAside(given: SettleGiven, mail: Mail, { path, stat }: Readonly<{ path: Path; stat: Stat }>, how: 'linked' | 'foreign'): void {
  const kept = setAside(given, mail, path, 'was-in-its-place')
  const what = how === 'linked' ? 'that has other names too (a hard link)' : `of uid ${stat.uid}`
  given.raise({
    code: 'unsafe-file',
    about: mail.id,
    agent: mail.holder,
    sentence: `In the place of message ${mail.id} (${mail.subject}) at ${mail.holder} lay a file ${what}; it was not read and is kept in ${kept}.`,
    fix: `stat ${shellWord(kept)}`,
  })
}

/** Keeps a text of the holder's that cannot stay in the message, in attachments/<id>/. Returns where, relative to the root. */
export function keepAside(given: SettleGiven, mail: Pick<Mail, 'holder' | 'id'>, text: Buffer, what: string): string {
  const kept = copyAside(given, mail, text, what)
  forgetOldest(given, mail, kept)
  return kept
}

/** The same, and none kept before goes for it yet: for who may have to take it back. */
export function copyAside(given: SettleGiven, mail: Pick<Mail, 'holder' | 'id'>, text: Buffer, what: string): string {
  const folder = attachmentFolder(given, mail)
  const owner = given.givenOwner(mail.holder)
  const stamp = new Date(given.clock.now()).toISOString().replace(/[-:.]/g, '')
  const name = `${what}-${stamp}-${given.ids.secret().slice(0, 4)}.md`
  given.disk.create(given.pins.at(folder, name), text, 0o640, owner)
  return `workspaces/${mail.holder}/attachments/${mail.id}/${name}`
}

/** The oldest others of its kind go, where there are too many; their names are in the order of time. */
export function forgetOldest(given: SettleGiven, mail: Pick<Mail, 'holder' | 'id'>, kept: string): void {
  const { disk, pins } = given
  const folder = attachmentFolder(given, mail)
  const newest = kept.slice(kept.lastIndexOf('/') + 1)
  const isOther = (name: string): boolean => name !== newest && KEPT.exec(name)?.[1] === KEPT.exec(newest)?.[1]
  const others = disk.list(pins.at(folder, '.')).flatMap(({ name, kind }) => (kind === 'file' && isOther(name) ? [name] : []))
  for (const name of others.sort().slice(0, Math.max(0, others.length - MOST_KEPT + 1))) disk.unlink(pins.at(folder, name))
}

/** Shows what was kept beside the message as it lies now. */
export function fixByDiff(kept: string, { holder, folder, file }: Pick<Mail, 'holder' | 'folder' | 'file'>): string {
  return `diff ${shellWord(kept)} ${shellWord(`workspaces/${holder}/${folder}/${file}`)}`
}
