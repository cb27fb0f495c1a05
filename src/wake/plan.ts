/** A run's command line, environment and input. Nothing a sender wrote becomes any of them but standard input. */
import { dirname } from 'node:path'
import type { Runner } from '../core/config.ts'
import { behind, gatewayEnvironment, JAIL_PATH, type Jail, RUNNERS_AT, shownAt } from '../jail/index.ts'
import { isLeased, leadsNowhere, listOrNothing, type Mail, statOrNothing } from '../mailbox/index.ts'
import { type Host, PROGRAM_AT } from '../system/host.ts'
import { faultOfProgram } from '../system/program.ts'
import type { Identity, WakeGiven } from './given.ts'
import type { RunRecord } from './records.ts'

/** What a holder may have added to a message since it was admitted. Bytes. */
const ROOM_FOR_HOLDER = 16 * 1024 ** 2

/** argv with `./x` led to policies/runners/, as a jail shows them or as they lie; also in later arguments (`[sh, ./x]`) where there is such a program. */
export function commandOf(runner: Runner, given: Pick<WakeGiven, 'disk' | 'runnerPath' | 'host'>, jail: Jail | undefined): string[] {
  return runner.command.map((word, i) => {
    if (!jail && word.startsWith(PROGRAM_AT)) return ownProgram(given.host(), word)
    if (!word.startsWith('./')) return word
    const name = word.slice(2)
    const path = given.runnerPath(name)
    return i === 0 || statOrNothing(given.disk, path)?.kind === 'file' ? (jail ? `${RUNNERS_AT}/${name}` : path) : word
  })
}

/** Where Node and our own programs lie that a jail shows in `PROGRAM_AT`. */
function ownProgram({ program }: Host, path: string): string {
  const place = program.find(({ at }) => path === at || path.startsWith(`${at}/`))
  return place ? place.from + path.slice(place.at.length) : path
}

/** What is wrong with the program or the folder it shall start in, or undefined. */
export function faultOfStart(
  given: Pick<WakeGiven, 'disk' | 'host' | 'environment'>,
  program: string,
  home: string,
  jail: Jail | undefined,
): string | undefined {
  if (statOrNothing(given.disk, home)?.kind !== 'folder') return `its folder ${home} is not there`
  // Started as an agent it is setpriv(1) that looks for it, whose status says nothing of why.
  if (!jail) return faultOfProgram(program, given.environment['PATH'] ?? '/usr/bin:/bin', home)
  const path = program.includes('/') ? behind(jail, program) : program
  const own = given.host().program
  if (own.length > 0 && (['node', 'penny'].includes(program) || own.some(({ at }) => at === program))) return undefined
  const fault = faultOfProgram(path ?? program, [...own.map(({ from }) => dirname(from)), JAIL_PATH].join(':'), home)
  return path === undefined && fault === undefined ? `${program} is not in its jail: put it into policies/runners/, or its folder into mounts:` : fault
}

/** Facts of the daemon's own; nothing here was worded by the sender. */
export function environmentOf(given: WakeGiven, mail: Mail, record: RunRecord, { jail, gateway }: Pick<Identity, 'jail' | 'gateway'>): Record<string, string> {
  const { layout } = given
  const shown = (path: string): string => (jail ? shownAt(jail, path) : path)
  const shownIfThere = (path: string | undefined): string | undefined => path && shown(path)
  const kept = given.keptFor(mail)
  const facts: Record<string, string | undefined> = {
    HOME: shown(layout.home(mail.holder)),
    PENNY_ROOT: jail ? undefined : layout.root,
    PENNY_AGENT: mail.holder,
    PENNY_RUN: record.run,
    PENNY_ATTEMPT: String(record.attempt),
    PENNY_ID: mail.id,
    PENNY_MESSAGE: shown(messagePath(given, mail)),
    PENNY_KIND: mail.kind,
    PENNY_FROM: mail.from,
    PENNY_VIA: mail.via,
    PENNY_ORIGIN: mail.origin ?? mail.via,
    PENNY_PRIORITY: mail.priority,
    PENNY_DUE: mail.due,
    PENNY_THREAD: mail.thread,
    PENNY_IN_REPLY_TO: shownIfThere(sentMirror(given, mail)),
    PENNY_REPLIES: repliesOf(given, record).map(shown).join('\n') || undefined,
    PENNY_ATTACHMENTS: shownIfThere(attachmentsOf(given, mail)),
    PENNY_CHECKPOINT: shownIfThere(kept.checkpoint),
    PENNY_SEALED: shownIfThere(kept.sealed),
    PENNY_GATEWAY: gateway,
  }
  const known = Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ...given.environment, ...(jail ? { PATH: JAIL_PATH, ...gatewayEnvironment(jail) } : {}), ...Object.fromEntries(known) }
}

export function messagePath({ layout }: Pick<WakeGiven, 'layout'>, mail: Mail): string {
  return `${layout.folder(mail.holder, mail.folder)}/${mail.file}`
}

/** The mirror of the agent's own message that this one answers. */
function sentMirror({ disk, layout }: WakeGiven, mail: Mail): string | undefined {
  const answered = mail.inReplyTo
  if (answered === undefined) return undefined
  const file = listOrNothing(disk, layout.sent(mail.holder)).find(({ name, kind }) => kind === 'file' && name.includes(`.${answered}.`))
  return file && `${layout.sent(mail.holder)}/${file.name}`
}

function repliesOf(given: WakeGiven, record: RunRecord): string[] {
  return record.replies.flatMap((id) => given.ledger.get(id) ?? []).map((reply) => messagePath(given, reply))
}

function attachmentsOf({ disk, layout }: WakeGiven, mail: Mail): string | undefined {
  const path = `${layout.attachments(mail.holder)}/${mail.id}`
  return statOrNothing(disk, path)?.kind === 'folder' ? path : undefined
}

/** The message's bytes, out of a folder that its holder can write; undefined where it is not there (any more) or no plain file. */
export function readMessage(given: WakeGiven, mail: Mail): Buffer | undefined {
  const { disk, layout, pins, config } = given
  const limit = config().org.limits.messageBytes + ROOM_FOR_HOLDER
  try {
    const fd = disk.openRead(pins.at(layout.folder(mail.holder, mail.folder), mail.file))
    try {
      const { kind, size } = disk.fstat(fd)
      return kind === 'file' && size <= limit ? disk.read(fd, size) : undefined
    } finally {
      disk.close(fd)
    }
  } catch (cause) {
    if (leadsNowhere(cause) || isLeased(cause)) return undefined
    throw cause
  }
}
