import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { openJournal } from '../../src/journal/index.ts'
import { makeIds, realSystem } from '../../src/system/index.ts'
import { breakable } from './ground.ts'

t.test('an id that somebody made up is looked for in few segments, and once', async (t) => {
  const root = t.testdir({ staging: {}, journal: {} })
  mkdirSync(`${root}/staging`, { recursive: true })
  const { clock } = await realSystem(`${root}/staging`, 'error', () => undefined)
  const id = makeIds(clock).next()
  const old = makeIds({ ...clock, now: () => Date.UTC(2020, 0, 5, 12, 30) }).next()
  const line = `${JSON.stringify({ at: '2020-01-05T12:30:00.000Z', event: 'admitted', drop: old, copies: [{ id: old, to: 'legal' }] })}\n`
  for (let day = 1; day <= 20; day++) {
    const name = `${String(day).padStart(8, '0')}-202001${String(day).padStart(2, '0')}T120000Z.jsonl`
    writeFileSync(`${root}/journal/${name}`, day === 5 ? line : '{"at":"x","event":"daemon"}\n')
  }
  const { disk, calls } = breakable()
  const journal = openJournal(disk, clock, `${root}/journal`)
  const reads = (): number => calls.get('readFile') ?? 0
  const before = reads()
  t.equal(journal.admissionOf(old)?.drop, old, 'found in its own segment')
  t.equal(reads(), before + 1)
  t.equal(journal.admissionOf(id), undefined)
  const after = reads()
  t.ok(after - before <= 4, 'few segments are read')
  t.equal(journal.admissionOf(id), undefined)
  t.equal(reads(), after, 'it is known to be unknown')
  await journal.close()
})
