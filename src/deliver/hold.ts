/** Files that could not be admitted: moved to spool/held/, bytes untouched, with a `.why.md` beside each. */

import { type Complaint, describeComplaint } from '../core/fault.ts'
import { counted, shellWord, showSafely } from '../core/text.ts'
import type { HoldIntent } from '../journal/index.ts'
import { isGone, isMessageName, parseHeldName, statOrNothing } from '../mailbox/index.ts'
import type { Path } from '../system/types.ts'
import { findSource, nameOf, putBack } from './place.ts'
import type { DeliverGiven } from './types.ts'

/**
 * Idempotent: a file that is there already stays. The rename follows no link and opens nothing; what was put under the name in
 * the last moment, which may be a link that a person would be asked to edit, goes back and is looked at as a drop of its own.
 * False: nothing is held.
 */
export function holdFile(given: DeliverGiven, intent: HoldIntent): boolean {
  const { disk, layout, pins } = given
  const { source } = intent
  const held = `${layout.held}/${intent.held}`
  const path = findSource(given, source)
  try {
    if (path !== undefined) disk.rename(path, held)
  } catch (cause) {
    if (!isGone(cause)) throw cause
  }
  const there = statOrNothing(disk, held)
  if (!there) return false
  if (there.ino !== source.ino || (there.kind !== 'file' && intent.code !== 'unsafe-file')) {
    putBack(given, held, path ?? pins.at(`${layout.root}/${source.folder}`, nameOf(source)))
    return false
  }
  try {
    letOperatorsRead(given, held)
  } catch (cause) {
    if (!isGone(cause)) given.log('warn', 'a held file could not be made readable for operators', { file: heldPath(intent.held), why: String(cause) })
  }
  return true
}

/** A plain file that has this one name alone: another name may lie where its owner wants an operator's group to write or run it. */
function letOperatorsRead({ disk, heldOwner }: DeliverGiven, held: Path): void {
  const owner = heldOwner()
  if (!owner) return
  const { kind, links } = disk.stat(held)
  if (kind !== 'file' || links !== 1) return
  const fd = disk.openRead(held)
  try {
    const stat = disk.fstat(fd)
    if (stat.kind !== 'file' || stat.links !== 1) return
    // Whose it is stays: that is who sent it, when it is released.
    disk.setOwner(fd, { uid: stat.uid, gid: owner.gid })
    disk.setMode(fd, (stat.mode & 0o707) | 0o040)
  } finally {
    disk.close(fd)
  }
}

export function heldPath(held: string): string {
  return `spool/held/${held}`
}

/** One sentence: what is wrong where. */
export function heldSentence(intent: HoldIntent): string {
  const file = `${intent.folder}/${intent.name}`
  const [first, ...more] = intent.complaints
  if (!first) return `${file} could not be admitted`
  const told = describeComplaint(file, first)
  return more.length === 0 ? told : `${told} (and ${counted(more.length, 'more mistake')})`
}

export function heldFix(intent: HoldIntent): string {
  const [fileWord, releaseCommand] = [shellWord(heldPath(intent.held)), `penny release ${shellWord(intent.held)}`]
  switch (intent.code) {
    case 'unsafe-file':
      return `ls -la ${fileWord}   # see what it is, then rm it`
    case 'missing-attachment': {
      const copyCommand = missingPaths(intent)
        .map((path) => `cp THE-MISSING-FILE ${shellWord(path)}`)
        .join(' && ')
      return copyCommand === '' ? `\${EDITOR:-vi} ${fileWord} && ${releaseCommand}` : `${copyCommand} && ${releaseCommand}`
    }
    case 'bad-encoding': {
      const encodingWord = encodingOf(intent.complaints)
      if (encodingWord === undefined) return `\${EDITOR:-vi} ${fileWord} && ${releaseCommand}`
      // Into the same file: whose it is says who sent it.
      return `f=$(mktemp) && iconv -f ${encodingWord} -t UTF-8 ${fileWord} > "$f" && cp "$f" ${fileWord} && rm "$f" && ${releaseCommand}`
    }
    case 'unknown-sender': {
      const uid = /\buid (\d+)/.exec(intent.complaints[0]?.what ?? '')?.[1] ?? 'UID'
      return `printf '%s\\n' --- 'user: ${uid}' --- > policies/people/uid-${uid}.md && ${releaseCommand}   # if it is somebody of yours; any name will do`
    }
    case 'not-permitted':
      return `${releaseCommand}   # after the policies were widened, if that is meant`
    default:
      return moveFix(intent, fileWord) ?? `\${EDITOR:-vi} ${fileWord} && ${releaseCommand}`
  }
}

/** As `parseMessage` says it. */
function encodingOf([complaint]: readonly Complaint[]): string | undefined {
  return /; it looks like (UTF-16|WINDOWS-1252)$/.exec(complaint?.what ?? '')?.[1]
}

/** Where what its `attach:` names is looked for; none where it can lie nowhere. */
function missingPaths({ folder, complaints }: HoldIntent): readonly string[] {
  const names = /^the attachment (.+) did not appear /s.exec(complaints[0]?.what ?? '')?.[1]?.split(', ') ?? []
  const home = /^(workspaces\/[^/]+)\/outbox$/.exec(folder)?.[1]
  const paths = names.map((name) => {
    const parts = name.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.length === 0 || parts.includes('..') || (parts.length > 1 && home === undefined)) return undefined
    return parts.length > 1 ? `${home}/home/${parts.join('/')}` : `${folder}/files/${parts[0]}`
  })
  return paths.every((path) => path !== undefined) ? paths : []
}

/** Out of a box of nobody into the one that was meant, where that is all there is to mend: no `to:` of its own says otherwise. */
function moveFix({ folder, name, complaints, held }: HoldIntent, fileWord: string): string | undefined {
  const [only, ...more] = complaints
  if (only?.code !== 'unknown-recipient' || only.near === undefined || only.spot || more.length > 0 || !/^spool\/./.test(folder)) return undefined
  const as = isMessageName(name) && Buffer.byteLength(name) < 200 ? name : `${parseHeldName(held)?.slug}.md`
  return `mv -n ${fileWord} ${shellWord(`spool/${only.near}/${as}`)}`
}

/** The text of `….why.md`. */
export function whyText(intent: HoldIntent): string {
  const file = `${intent.folder}/${intent.name}`
  return [
    `# Held: ${intent.code}`,
    '',
    `- file: \`${file}\``,
    `- from: ${intent.from}`,
    `- when: ${intent.at}`,
    '',
    ...intent.complaints.map((complaint) => `- ${complaint.code}: ${describeComplaint(file, complaint)}`),
    '',
    intent.code === 'unsafe-file'
      ? "It was neither followed nor opened. In the organisation's root:"
      : "Its bytes are untouched. Mend it and let it go again, in the organisation's root:",
    '',
    `    ${heldFix(intent)}`,
    '',
  ]
    .map(showSafely)
    .join('\n')
}
