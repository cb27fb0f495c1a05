/** The contexts that are nearly full, and what is asked of their holders. What stands is written down, for hooks and for the next start. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import { HIGH, NEARLY_FULL, ORDERED } from '../core/marks.ts'
import type { Name } from '../core/names.ts'
import { isKey, orderFile } from '../core/orderfile.ts'
import type { Clear, Raise, Submit } from '../core/post.ts'
import type { Layout, Mail } from '../mailbox/index.ts'
import type { Clock, Disk, Ids, Log, Owner } from '../system/types.ts'
import { orderText } from './order.ts'
import { isWrittenSince } from './precompact.ts'
import type { Versions } from './versions.ts'
import { aboutOf, highFault, letterOfOrder, missingFault, type Told } from './words.ts'

/** A context, as the gateway tells of it. `passed`: marks, percent. `isNew`: it was compacted, or is another. */
export type Change = Readonly<{
  gauge: Readonly<{ agent: Name; message: string | undefined; session: string | undefined; usedTokens: number; windowTokens: number }>
  passed: readonly number[]
  isNew: boolean
}>

export type Standing = Told &
  Readonly<{
    passed: number
    /** When a checkpoint was asked for. */
    orderedMs: number | undefined
    /** The note that says so, once it is sent. */
    letter: MessageId | undefined
    isMissingTold: boolean
    toldMs: number
  }>

export type Orders = Readonly<{
  told: (change: Change) => void
  /** The message needs no context any more. */
  settled: (id: MessageId) => void
  /** What was refused, by the disk or otherwise, is done again; what nobody hears of any more is forgotten. */
  look: () => void
  /** Messages of this agent for which a checkpoint was asked for, and is there. */
  fulfilledBy: (agent: Name) => MessageId[]
  all: () => readonly Standing[]
}>

export type OrdersGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  ids: Ids
  layout: Layout
  submit: Submit
  /** To `done/`. */
  putAway: (note: MessageId) => Promise<unknown>
  raise: Raise
  clear: Clear
  isAgent: (name: Name) => boolean
  /** Mail that is not settled. */
  mailOf: (id: MessageId) => Mail | undefined
  givenOwner: (agent: Name) => Owner | undefined
  versions: Pick<Versions, 'look'>
  /** Of before the start. */
  before: readonly Standing[]
  changed: (all: readonly Standing[]) => void
}>

/** The answer that passes the mark may be the checkpoint itself: then it is written before anybody here has heard of the mark. */
const SAME_MOMENT_MS = 2_000
/** An agent can make up sessions. */
const MOST_OF_AGENT = 32
/** A session that belongs to no message ends and nobody says so. */
const LOST_MS = 86_400_000

export function createOrders(given: OrdersGiven): Orders {
  const { clock, layout, raise, clear } = given
  const standing = new Map(given.before.map((one): [string, Standing] => [aboutOf(one), one]))
  /** Files that do not say yet what is so; letters under way. */
  const unwritten = new Set<string>(standing.keys())
  const sending = new Set<string>()
  /** Notes that ask for nothing any more. */
  const answered = new Set<MessageId>()

  function keep(one: Standing): void {
    standing.set(aboutOf(one), one)
    unwritten.add(aboutOf(one))
    given.changed([...standing.values()])
    write(one)
  }

  /** What one agent's folder refuses keeps neither the others from their orders nor the daemon from going on. */
  function look(agent: Name): ReturnType<Versions['look']> {
    try {
      return given.versions.look(agent)
    } catch (cause) {
      given.log('warn', 'whether a checkpoint was written cannot be seen', { agent, why: String(cause) })
      return undefined
    }
  }

  function isFulfilled({ agent, orderedMs }: Standing): boolean {
    const stat = orderedMs === undefined ? undefined : look(agent)
    return stat !== undefined && isWrittenSince({ mtimeMs: stat.mtimeMs, bytes: stat.size }, (orderedMs ?? 0) - SAME_MOMENT_MS)
  }

  function write(one: Standing): void {
    const about = aboutOf(one)
    const path = `${layout.runs(one.agent)}/${orderFile(one.key)}`
    try {
      if (one.orderedMs !== undefined) {
        const { message, session, usedTokens, windowTokens, passed } = one
        const staged = `${layout.staging}/order.${given.ids.secret()}`
        const text = orderText({ message, session, ordered: new Date(one.orderedMs).toISOString(), usedTokens, windowTokens, passed })
        given.disk.create(staged, text, 0o640, given.givenOwner(one.agent))
        given.disk.rename(staged, path)
      }
      unwritten.delete(about)
    } catch (cause) {
      given.log('warn', 'an order to write a checkpoint is not written yet', { agent: one.agent, path, why: String(cause) })
    }
  }

  function send(one: Standing): void {
    const about = aboutOf(one)
    if (one.letter !== undefined || one.orderedMs === undefined || sending.has(about)) return
    sending.add(about)
    const mail = one.message === undefined ? undefined : given.mailOf(one.message)
    given
      .submit(letterOfOrder(one, mail, one.orderedMs))
      .then((letter) => {
        const now = standing.get(about)
        if (now && now.orderedMs === one.orderedMs) keep({ ...now, letter })
        else putAway(letter)
      })
      .catch((cause: unknown) => given.log('warn', 'an order to write a checkpoint could not be sent yet', { agent: one.agent, why: String(cause) }))
      .finally(() => sending.delete(about))
  }

  /** What its holder has taken in hand it puts away itself. */
  function putAway(letter: MessageId | undefined): void {
    if (letter === undefined) return
    if (given.mailOf(letter)?.folder !== 'new') return void answered.delete(letter)
    answered.add(letter)
    given.putAway(letter).catch((cause: unknown) => given.log('warn', 'an order that is done could not be put away yet', { id: letter, why: String(cause) }))
  }

  function drop(one: Standing): void {
    const about = aboutOf(one)
    putAway(one.letter)
    standing.delete(about)
    unwritten.delete(about)
    clear('context-high', about)
    given.changed([...standing.values()])
    try {
      if (one.orderedMs !== undefined) given.disk.unlink(`${layout.runs(one.agent)}/${orderFile(one.key)}`)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') given.log('warn', 'an order could not be taken back', { agent: one.agent, why: String(cause) })
    }
  }

  /** `over`: what was not written by now comes too late. */
  function tellMissing(one: Standing, how: 'late' | 'over'): boolean {
    if (one.orderedMs === undefined || one.isMissingTold || isFulfilled(one)) return one.isMissingTold
    raise(missingFault(one, new Date(one.orderedMs).toISOString(), how))
    return true
  }

  function told({ gauge, passed, isNew }: Change): void {
    const { agent, session, usedTokens, windowTokens } = gauge
    const message = isMessageId(gauge.message ?? '') && given.mailOf(gauge.message as MessageId)?.holder === agent ? (gauge.message as MessageId) : undefined
    const key = session ?? message
    if (key === undefined || !isKey(key) || !given.isAgent(agent)) return
    const before = standing.get(aboutOf({ agent, key }))
    if (before && isNew) tellMissing(before, 'over')
    const highest = Math.max(0, ...passed)
    // The gateway may have been started again, and count from nothing: what is fuller than once before is the same context still.
    const isOther = before !== undefined && (isNew || (highest > 0 && highest < ORDERED && before.orderedMs !== undefined))
    if (before && isOther) drop(before)
    if (highest === 0) return
    const known = isOther ? undefined : before
    const orderedMs = known?.orderedMs ?? (highest >= ORDERED ? clock.now() : undefined)
    const reached = Math.max(highest, known?.passed ?? HIGH)
    const told: Told = { agent, key, message: message ?? known?.message, session, usedTokens, windowTokens }
    let one: Standing = {
      ...told,
      passed: reached,
      orderedMs,
      letter: known?.letter,
      isMissingTold: known?.isMissingTold ?? false,
      toldMs: clock.now(),
    }
    // In one step from nothing to nearly full: it was only just asked for.
    if (highest >= NEARLY_FULL && known?.orderedMs !== undefined) one = { ...one, isMissingTold: tellMissing(one, 'late') }
    keep(one)
    raise(highFault(one, orderedMs !== undefined))
    send(one)
    forgetOldestOf(agent)
  }

  function forgetOldestOf(agent: Name): void {
    const own = [...standing.values()].filter((one) => one.agent === agent)
    for (const one of own.sort((a, b) => a.toldMs - b.toldMs).slice(0, Math.max(0, own.length - MOST_OF_AGENT))) drop(one)
  }

  return {
    told,
    settled: (id) => {
      for (const one of [...standing.values()]) if (one.message === id) drop(one)
    },
    look: () => {
      const now = clock.now()
      for (const one of [...standing.values()]) {
        const isOver = one.message === undefined ? now - one.toldMs > LOST_MS : given.mailOf(one.message) === undefined
        if (isOver || !given.isAgent(one.agent)) {
          drop(one)
          continue
        }
        if (unwritten.has(aboutOf(one))) write(one)
        send(one)
        if (isFulfilled(one)) putAway(one.letter)
      }
      for (const letter of answered) putAway(letter)
    },
    fulfilledBy: (agent) => [...standing.values()].flatMap((one) => (one.agent === agent && isFulfilled(one) ? (one.message ?? []) : [])),
    all: () => [...standing.values()],
  }
}
