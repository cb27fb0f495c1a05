import fc from 'fast-check'
import t from 'tap'
import { formatFileName, isDraftName, parseFileName } from '../../src/mailbox/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'

t.test('names sort by urgency, then by time of admission, also within one millisecond and over steps of the clock', async () => {
  const clock = handClock(Date.UTC(2030, 0, 1))
  const ids = makeIds(clock)
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          rank: fc.integer({ min: 1, max: 9 }),
          subject: fc.string(),
          waitMs: fc.integer({ min: 0, max: 2 }),
          stepMs: fc.integer({ min: -90_000_000, max: 90_000_000 }),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      (drops) => {
        const made = drops.map(({ rank, subject, waitMs, stepMs }, admitted) => {
          clock.turn(waitMs)
          clock.step(stepMs)
          return { rank, admitted, name: formatFileName(rank, 'p', ids.next(), subject) }
        })
        const byName = made.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ admitted }) => admitted)
        const byService = made.toSorted((a, b) => a.rank - b.rank || a.admitted - b.admitted).map(({ admitted }) => admitted)
        return JSON.stringify(byName) === JSON.stringify(byService)
      },
    ),
  )
})

t.test('a name says again what it was made of, and no other name parses', async (t) => {
  const ids = makeIds(handClock(Date.UTC(2030, 0, 1)))
  const id = ids.next()
  t.match(parseFileName(formatFileName(1, 'urgent', id, 'Review: Ärger & Co.!')), { rank: 1, priority: 'urgent', id, slug: 'review-arger-co' })
  for (const name of [
    `0-urgent.${id}.x.md`,
    `1-urgent.${id.toUpperCase()}.x.md`,
    `1-urgent.${id}.x.txt`,
    `.1-urgent.${id}.x.md`,
    `1-urgent.${id}..md`,
    'README.md',
  ])
    t.equal(parseFileName(name), undefined, name)
})

t.test('names of files that are being written', async (t) => {
  for (const name of ['.a.md', 'a.md~', '.a.md.swp', 'a.tmp', 'a.md.part']) t.ok(isDraftName(name), name)
  for (const name of ['a.md', 'tmp.md', 'a.tmp.md', 'part']) t.notOk(isDraftName(name), name)
})
