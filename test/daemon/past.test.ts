import { writeFileSync } from 'node:fs'
import t from 'tap'
import { admittedEndingWith } from '../../src/daemon/past.ts'
import { openJournal } from '../../src/journal/index.ts'
import { realSystem } from '../../src/system/index.ts'

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
