import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { Entry } from '../../src/core/event.ts'
import { admittedEndingWith, tellJournal } from '../../src/daemon/past.ts'
import { openJournal } from '../../src/journal/index.ts'
import { realSystem } from '../../src/system/index.ts'
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

const SEGMENTS = 12
const idOf = (segment: number, copy: number): string => `01920000-0000-7000-8000-0000000${String(segment).padStart(2, '0')}ee${copy}`

t.test('an ending that nobody knows by heart is looked for one segment a turn, the latest first, while mail goes on', async (t) => {
  const dir = t.testdir({ journal: {} })
  for (let segment = 1; segment <= SEGMENTS; segment++) {
    const line = JSON.stringify({ at: '', event: 'admitted', drop: idOf(segment, 0), copies: [1, 2].map((copy) => ({ id: idOf(segment, copy), to: 'legal' })) })
    writeFileSync(`${dir}/journal/${String(segment).padStart(8, '0')}-20260101T${String(segment).padStart(2, '0')}0000Z.jsonl`, `${line}\n`)
  }
  const { disk, clock } = await realSystem(dir, 'error', () => undefined)
  let turns = 0
  const counting = {
    ...clock,
    soon: (call: () => void) => {
      turns++
      clock.soon(call)
    },
  }
  const given = { disk, clock: counting, journal: openJournal(disk, clock, `${dir}/journal`) }
  const going = new AbortController().signal
  t.same(await admittedEndingWith(given, '00000004ee1', 10, going), [idOf(4, 1)])
  t.same(await admittedEndingWith(given, 'fffff', 10, going), [])
  t.equal(turns, 2 * SEGMENTS, 'each segment had a turn of its own')
  t.same(await admittedEndingWith(given, 'ee2', 3, going), [idOf(12, 2), idOf(11, 2), idOf(10, 2)], 'no more than asked for')
  t.same(await admittedEndingWith(given, 'ee0', 3, going), [], 'a drop is no message')
  turns = 0
  t.same(await admittedEndingWith(given, 'fffff', 10, AbortSignal.abort()), [])
  t.equal(turns, 0, 'and nobody looks on for a client that went away')
})
