/** What people type for a message → the message: an id, a unique ending of one, or a ref. */
import { isMessageId, isRef, type MessageId } from '../core/ids.ts'
import { textValue } from '../core/row.ts'
import { parseFileName } from '../mailbox/index.ts'
import { sameCall, sameOption } from './again.ts'
import { fixOfBar } from './bar.ts'
import { askForId, type Daemon, findOwnDaemon, refuseSeveral } from './client.ts'
import type { Call } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { readHead, readMessage, type Shown, shownOf } from './head.ts'
import { entriesAbout } from './history.ts'
import { listMail, listMailbox, type Place, type Unseen } from './mail.ts'
import { rootOf, type Seat, seatOf } from './root.ts'

const SHORTEST = 4

/** `text`: as the daemon read it, for an operator who may not open the file. */
export type Found = Place & Readonly<{ text?: string }>

/** All places where mail can be read from here: the own mailbox with what it sent, or everybody's. */
export function everyPlace(call: Call, seat: Seat | undefined, unseen: Unseen): Place[] {
  const folders = ['new', 'cur', 'done'] as const
  return seat ? listMailbox(seat.workspace, seat.name, [...folders, 'sent'], unseen) : listMail(rootOf(call), folders, unseen)
}

/** The one message that is meant. Refuses: no such (66), several (64), too short (64), not to be seen by this user (77). */
export function findMessage(call: Call, typed: string, seat: Seat | undefined = seatOf(call)): Promise<Found> {
  return findIn(call, typed, seat, sameCall(call, typed))
}

/** The same in this mailbox, or everybody's; `again` is the command with an id in the place of what was typed. */
export async function findIn(call: Call, typed: string, seat: Seat | undefined, again: (id: string) => string): Promise<Found> {
  const unseen: Unseen = new Set()
  const places = everyPlace(call, seat, unseen)
  if (unseen.size > 0 && !seat?.own) {
    const daemon = await findOwnDaemon(rootOf(call))
    if (typeof daemon === 'object') return readByDaemon(call, daemon, typed, seat, again)
  }
  const found = isMessageId(typed) ? places.filter(({ id }) => id === typed) : (byEnding(call, typed, places) ?? (await byRef(call, typed, places, seat)))
  const one = found[0]
  const [closed] = unseen
  if (!one && closed !== undefined)
    refuse(EXIT.notPermitted, `${typed} cannot be looked for`, `this user may not read ${closed}, and the daemon cannot be asked`, fixOfBar(closed))
  if (!one) refuse(EXIT.noSuchThing, `there is no message ${typed}`, `no id ends so and no ref is ${JSON.stringify(typed)}`, 'penny tasks')
  const ids = [...new Set(found.map(({ id }) => id))]
  if (ids.length > 1) refuseSeveral(typed, ids, again)
  return one
}

/** The message as it is now; undefined: it was moved since it was found. */
export async function readFound({ path, text }: Found): Promise<Shown | undefined> {
  return text === undefined ? readMessage(path) : shownOf(Buffer.from(text))
}

/** An operator who may read no mailbox asks the daemon, who may read them all. */
async function readByDaemon(call: Call, daemon: Daemon, typed: string, seat: Seat | undefined, again: (id: string) => string): Promise<Found> {
  const id = await askForId(daemon, needLength(call, typed), again)
  const { holder, folder, path, text } = await daemon.ask({ verb: 'read', id })
  if (seat && seat.name !== holder && textValue((await shownOf(Buffer.from(text))).values['from']) !== seat.name)
    refuse(EXIT.noSuchThing, `${id} is not in the mailbox of ${seat.name}`, `it is in that of ${holder}`, sameOption(call, 'agent')(holder))
  const file = path.slice(path.lastIndexOf('/') + 1)
  const { rank = 0, priority = '' } = parseFileName(file) ?? {}
  return { holder, folder, file, path, id, rank, priority, text }
}

function needLength(call: Call, typed: string): string {
  if (/^[0-9a-f-]+$/i.test(typed) && typed.length < SHORTEST)
    refuse(EXIT.usage, `${JSON.stringify(typed)} is too short for an id`, `an ending of at least ${SHORTEST} characters is needed`, `penny help ${call.name}`)
  return typed
}

function byEnding(call: Call, typed: string, places: readonly Place[]): Place[] | undefined {
  const ending = typed.toLowerCase()
  if (!/^[0-9a-f-]+$/.test(ending)) return undefined
  const short = needLength(call, ending)
  const found = places.filter(({ id }) => id.endsWith(short))
  return found.length > 0 ? found : undefined
}

async function byRef(call: Call, typed: string, places: readonly Place[], seat: Seat | undefined): Promise<Place[]> {
  if (!isRef(typed)) return []
  if (seat) {
    const refs = await Promise.all(places.map(({ path }) => readHead(path)))
    return places.filter((_, index) => textValue(refs[index]?.['ref']) === typed)
  }
  const ids = new Set<MessageId>()
  for (const entry of await entriesAbout(rootOf(call), [`"ref":${JSON.stringify(typed)}`])) {
    if (entry.event === 'admitted' && entry.ref === typed) for (const copy of entry.copies) ids.add(copy.id)
  }
  return places.filter(({ id }) => ids.has(id))
}
