/** Folders whose owner is a former one (an organisation without walls, another `user:`): what lies in them is given first, a little at a time. */
import type { Config } from '../core/config.ts'
import type { Event } from '../core/event.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { counted, shellWord } from '../core/text.ts'
import type { Sealed } from '../journal/index.ts'
import { explainedBy, type Handed, handOver, type Layout, ownerOf, parseHeldName, type Rule } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Log, Owner } from '../system/types.ts'
import type { Identities } from './identities.ts'

export type Adoption = Readonly<{
  /** Of a folder that was found to be a former owner's. Told again while it waits, it is done once. */
  begin: (rule: Rule, holder: Name | undefined) => void
  /** Something of this holder's is not its own yet: it can neither run nor send. */
  isUnderWay: (holder: Name) => boolean
  /** From now on: what a crash left in the mailboxes lies where it belongs. */
  start: () => void
  stop: () => void
}>

export type AdoptionGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  layout: Layout
  config: () => Config
  identities: () => Identities
  sealed: Sealed
  record: (event: Event) => void
  raise: Raise
  clear: Clear
  /** All of this holder's is its own now. */
  done: (holder: Name) => void
}>

type Job = { readonly rule: Rule; readonly holder: Name | undefined; failed: boolean }

export function createAdoption(given: AdoptionGiven): Adoption {
  const { disk, layout, identities } = given
  const waiting = new Map<string, Job>()
  let started = false
  let busy = false
  let stopped = false

  /** Mail goes first: a home may hold a million files. */
  function next(): Job | undefined {
    const jobs = [...waiting.values()].filter(({ failed }) => !failed)
    return jobs.find(({ rule, holder }) => holder === undefined || rule.path !== layout.home(holder)) ?? jobs[0]
  }

  async function work(): Promise<void> {
    if (!started || busy) return
    busy = true
    try {
      for (let job = next(); job && !stopped; job = next()) {
        job.failed = !(await adopt(job))
        if (job.failed) continue
        waiting.delete(job.rule.path)
        if (job.holder !== undefined && !isUnderWay(job.holder)) given.done(job.holder)
      }
    } finally {
      busy = false
    }
  }

  /** False: it could not be done. The next patrol finds the folder as it was, and it is tried again. */
  async function adopt({ rule, holder }: Job): Promise<boolean> {
    const owners = identities().owners(holder)
    const { contents, path, mode } = rule
    if (contents === undefined || (holder !== undefined && !owners.holder)) return true
    const to = ownerOf(rule, owners)
    const about = path.slice(layout.root.length + 1)
    const handed: Handed = { from: undefined, given: 0, leftCount: 0, left: [] }
    try {
      const steps = handOver(disk, { path, mode, contents, to, ownerOf: contents === 'held' ? heldOwner : () => to }, handed)
      await inSlices(given.clock, untilStopped(steps), () => undefined)
    } catch (cause) {
      const sentence = `${about} and what lies in it could not be given to ${to.uid}:${to.gid} (${String(cause)}); it is tried again and again.`
      given.raise({ code: 'unreadable-file', about, ...(holder === undefined ? {} : { agent: holder }), sentence, fix: `ls -la ${shellWord(about)}` })
      return false
    }
    if (stopped) return false
    given.clear('unreadable-file', about)
    // Given already with the folder it lies in.
    if (handed.from?.uid === to.uid && handed.from.gid === to.gid) return true
    tell(about, handed, to, holder)
    return true
  }

  function* untilStopped(steps: Generator<void>): Generator<void> {
    for (const step of steps) {
      if (stopped) return
      yield step
    }
  }

  /** Whose a held file is says who sent it when it is released. */
  function heldOwner(name: string): Owner | undefined {
    const operators = identities().alertOwner
    if (explainedBy(name) !== undefined) return operators
    const parsed = parseHeldName(name)
    const intent = parsed && parsed.code !== 'unsafe-file' ? given.sealed.find(parsed.id) : undefined
    if (!intent || !operators) return undefined
    const uid = given.config().agents.has(intent.from as Name) ? identities().uidOf(intent.from as Name) : operators.uid
    return uid === undefined ? undefined : { uid, gid: operators.gid }
  }

  function tell(about: string, { from, given: count, left, leftCount }: Handed, to: Owner, holder: Name | undefined): void {
    const [fromWord, toWord] = [shellWord(String(from?.uid)), shellWord(`${to.uid}:${to.gid}`)]
    const whose = `${from?.uid}:${from?.gid}`
    given.log('info', 'a folder was given to its owner with what lay in it', {
      path: about,
      entries: count,
      left: leftCount,
      was: whose,
      is: `${to.uid}:${to.gid}`,
    })
    given.record({ event: 'daemon', state: 'gave', what: `${about} to ${to.uid}:${to.gid}, with ${counted(count, 'entry', 'entries')} of ${whose}` })
    if (leftCount === 0) return
    given.raise({
      code: 'unsafe-file',
      about,
      ...(holder === undefined ? {} : { agent: holder }),
      sentence: `${about} now belongs to ${to.uid}:${to.gid}, but ${counted(leftCount, 'entry', 'entries')} in it stayed with ${whose}: ${left.join(', ')}${leftCount > left.length ? ' …' : ''}. What has another name elsewhere is not given away with it.`,
      fix: `find ${shellWord(about)} -uid ${fromWord} -ls   # then, for each that is its: chown -h ${toWord} FILE`,
    })
  }

  const isUnderWay = (holder: Name): boolean => [...waiting.values()].some((job) => job.holder === holder)

  return {
    begin: (rule, holder) => {
      if (waiting.get(rule.path)?.failed === false) return
      waiting.set(rule.path, { rule, holder, failed: false })
      void work()
    },
    isUnderWay,
    start: () => {
      started = true
      void work()
    },
    stop: () => {
      stopped = true
    },
  }
}
