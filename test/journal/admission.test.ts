import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Admission } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { MOST_ENDED } from '../../src/journal/admissions.ts'
import { openJournal } from '../../src/journal/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from './ground.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Segments read for one id where none is known yet: halving 200 of them, those around the place, and the one it is in. */
const FEW = 8 + 2 * (MOST_ENDED + 1) + 1

function admission(drop: MessageId, id: MessageId): Admission {
  const copy = { id, to: 'legal' as Name, kind: 'task', file: 'f', subject: `"event":"admitted" "drop":"${drop}"`, priority: 'normal', rank: 3 } as const
  return { event: 'admitted', drop, from: 'ceo', via: 'person', sha256: '', thread: id, hops: 0, name: 'a.md', copies: [copy] }
}

/** A journal whose clock and ids go on over restarts, as those of one machine do. */
function house(t: Test) {
  const folder = t.testdir()
  const clock = handClock(Date.UTC(2030, 0, 1))
  const { disk, calls } = breakable()
  let journal = openJournal(disk, clock, folder)
  let ids = makeIds(clock)
  const made: MessageId[] = []
  const admit = (drop = ids.next(), id = ids.next()): void => {
    journal.record(admission(drop, id))
    made.push(id)
  }
  return {
    clock,
    made,
    admit,
    reads: () => calls.get('openRead') ?? 0,
    journal: () => journal,
    ids: () => ids,
    hours: (count: number) => {
      for (let hour = 0; hour < count; hour++) {
        admit()
        journal.record({ event: 'answered', id: made[0] as MessageId, reply: made[0] as MessageId })
        admit()
        journal.end()
        clock.turn(HOUR_MS + 1)
      }
    },
    restart: async () => {
      await journal.close()
      journal = openJournal(disk, clock, folder)
      ids = makeIds(clock)
      const newest = journal.newestId()
      if (newest) ids.after(newest)
    },
    lost: () => made.filter((id) => journal.admissionOf(id)?.copies[0]?.id !== id),
  }
}

t.test('an id that somebody made up is looked for in few segments, and once', async (t) => {
  const { clock, journal, hours, made, reads, restart, ids } = house(t)
  hours(200)
  await restart()
  const beginning = reads()
  t.ok(journal().admissionOf(made[100] as MessageId))
  t.ok(reads() - beginning <= FEW, `of 200 segments it reads ${reads() - beginning}`)
  clock.turn(DAY_MS)
  for (const id of [ids().next(), makeIds(handClock(Date.UTC(2029, 11, 1))).next(), makeIds(handClock(Date.UTC(2030, 0, 4, 5, 30))).next()]) {
    const before = reads()
    t.equal(journal().admissionOf(id), undefined)
    const after = reads()
    t.ok(after - before <= FEW, `${after - before} reads`)
    t.equal(journal().admissionOf(id), undefined)
    t.equal(reads(), after, 'it is known to be unknown')
  }
  await journal().close()
})

t.test('what was thought unknown is found once it is admitted', async (t) => {
  const { journal, admit, ids } = house(t)
  const [drop, id] = [ids().next(), ids().next()]
  t.equal(journal().newestId(), undefined)
  t.equal(journal().admissionOf(id), undefined)
  journal().record({ event: 'daemon', state: 'started', what: '' })
  t.equal(journal().admissionOf(id), undefined)
  admit(drop, id)
  t.equal(journal().admissionOf(id)?.drop, drop)
  t.equal(journal().newestId(), id)
  await journal().close()
})

t.test('a message is found by its id however the clock is stepped, with restarts and without', async (t) => {
  const { clock, hours, made, restart, lost, journal } = house(t)
  hours(5)
  for (const [step, word] of [
    [30 * DAY_MS, 'a month forward'],
    [2 * DAY_MS, 'two days more'],
    [-60 * DAY_MS, 'two months back'],
    [3 * HOUR_MS, 'three hours forward'],
  ] as const) {
    clock.step(step)
    hours(30)
    t.same(lost(), [], `${word}, in the daemon that saw it`)
    await restart()
    t.same(lost(), [], `${word}, after a restart`)
    hours(5)
    t.same(lost(), [], `${word}, in the next daemon`)
  }
  t.same(made, [...made].sort(), 'ids only grow')
  await journal().close()
})

t.test('a start reads two of a hundred segments, and few more where an intent is open', async (t) => {
  const { clock, journal, hours, made, ids, reads, restart } = house(t)
  hours(100)
  clock.step(-30 * DAY_MS)
  const before = reads()
  await restart()
  t.equal(reads() - before, 1 + 2, 'the last one to count its lines, and two for the newest id')
  t.equal(journal().newestId(), made.at(-1))
  const open = ids().next()
  t.ok(open > (made.at(-1) as string), 'where ids go on, though the clock was set back')
  t.equal(journal().segmentSince(open), 100 - MOST_ENDED)
  t.ok(reads() - before <= 1 + 2 + 2 + MOST_ENDED)
  await journal().close()
})

t.test('also one that was sealed before another and admitted after it, where a segment ended between them', async (t) => {
  const { clock, journal, admit, hours, ids, lost, restart } = house(t)
  hours(3)
  const [early, late] = [
    [ids().next(), ids().next()],
    [ids().next(), ids().next()],
  ] as const
  admit(...late)
  journal().end()
  clock.turn(HOUR_MS + 1)
  admit(...early)
  hours(3)
  journal().record({ event: 'daemon', state: 'stopped', what: '' })
  t.same(lost(), [])
  await restart()
  t.same(lost(), [])
  await journal().close()
})

const stretch = fc.record({
  /** Drops that get their ids in this segment, and how many segments end before each is admitted. */
  delays: fc.array(fc.nat(MOST_ENDED), { maxLength: 4 }),
  step: fc.constantFrom(0, 0, DAY_MS, 40 * DAY_MS, -DAY_MS, -90 * DAY_MS),
  restarts: fc.boolean(),
})

t.test('every admission is found in any journal whose drops were overtaken by no more than so many segments', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { minLength: 1, maxLength: 24 }), async (stretches) => {
      const { clock, journal, admit, made, ids, restart, lost } = house(t)
      let waiting: { drop: MessageId; id: MessageId; segment: number }[] = []
      const quiet = Array.from({ length: MOST_ENDED }, () => ({ delays: [], step: 0, restarts: false }))
      for (const [at, { delays, step, restarts }] of [...stretches, ...quiet].entries()) {
        clock.step(step)
        if (restarts) {
          await restart()
          // As recovery does for open intents, and the snapshot for mail.
          for (const id of [...made, ...waiting.map((one) => one.id)]) ids().after(id)
        }
        for (const delay of delays) waiting.push({ drop: ids().next(), id: ids().next(), segment: at + delay })
        for (const { drop, id, segment } of waiting) if (segment === at) admit(drop, id)
        waiting = waiting.filter(({ segment }) => segment > at)
        journal().record({ event: 'released', held: 'x' })
        journal().end()
        clock.turn(HOUR_MS + 1)
      }
      if (lost().length > 0) return false
      await restart()
      const admitted = [...journal().read({ segment: 0, offset: 0 })].flatMap(([entry, { segment }]) =>
        entry.event === 'admitted' ? [{ drop: entry.drop, segment }] : [],
      )
      const found = lost().length === 0 && admitted.length === stretches.flatMap(({ delays }) => delays).length
      const since = admitted.every(({ drop }) => admitted.every((other) => other.drop < drop || journal().segmentSince(drop) <= other.segment))
      await journal().close()
      return found && since
    }),
    { numRuns: 100 },
  )
})
