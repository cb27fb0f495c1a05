import t from 'tap'
import type { Entry } from '../../src/core/event.ts'
import { tellJournal } from '../../src/daemon/past.ts'
import { openJournal } from '../../src/journal/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from '../journal/ground.ts'

const HOUR_MS = 3_600_000

t.test('an operator is told of everything since a moment, also of the hours before the clock was set back', async (t) => {
  const clock = handClock(Date.UTC(2030, 5, 1))
  const { disk, calls } = breakable()
  const journal = openJournal(disk, clock, t.testdir())
  for (const days of [0, 0, 30, 0, -60, 0]) {
    clock.step(days * 24 * HOUR_MS)
    journal.record({ event: 'released', held: `${new Date(clock.now()).toISOString().slice(0, 13)} ${days}` })
    journal.end()
    clock.turn(HOUR_MS + 1)
  }
  const told = async (since: string): Promise<string[]> => {
    const held: string[] = []
    const say = async (line: object): Promise<void> => void held.push((line as Extract<Entry, { event: 'released' }>).held)
    await tellJournal({ clock, disk, journal }, { verb: 'journal', past: true, follow: false, since }, say, new AbortController().signal)
    return held
  }
  t.same(await told('2030-06-15T00:00:00.000Z'), ['2030-07-01T02 30', '2030-07-01T03 0'])
  const before = calls.get('readFile') ?? 0
  t.same(await told('2030-07-02T12:00:00.000Z'), [])
  t.ok((calls.get('readFile') ?? 0) - before <= 2, 'what had ended long before is not read')
  await journal.close()
})
