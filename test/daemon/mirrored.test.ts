import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import { createMirrored } from '../../src/daemon/mirrored.ts'
import { loadState } from '../../src/daemon/snapshot.ts'
import type { State } from '../../src/daemon/state.ts'
import { openJournal } from '../../src/journal/index.ts'
import { realSystem } from '../../src/system/index.ts'

const AN_ID = '01920000-0000-7000-8000-00000000000'

t.test('changes whose mirror a crash may have cost are shown again, however many lives that takes', async (t) => {
  const dir = t.testdir({ journal: {} })
  const { disk, clock } = await realSystem(dir, 'error', () => undefined)
  const replayed: string[] = []
  /** One life of the daemon, up to where it has read its journal. */
  const live = async () => {
    const journal = openJournal(disk, clock, `${dir}/journal`)
    const mirrored = createMirrored(disk, journal, `${dir}/mirrors.json`)
    const state = { handles: { check: () => undefined }, replay: (entry: { id: string }) => replayed.push(entry.id) } as unknown as State
    await loadState({ disk, clock, log: () => undefined, journal, state, file: `${dir}/none` }, journal.end(), () => undefined, mirrored)
    const change = (n: number): void =>
      journal.record({ event: 'status', id: `${AN_ID}${n}` as MessageId, holder: 'a', from: 'b', by: 'holder', status: 'done' } as never)
    const missing = (): string[] => mirrored.missing().map((id) => id.slice(-1))
    return { mirrored, change, missing, end: () => journal.close() }
  }

  const first = await live()
  t.same(first.missing(), [])
  for (const n of [1, 2, 1, 3]) first.change(n)
  await first.mirrored.look(true)
  await first.end()

  const second = await live()
  t.same(second.missing(), ['3', '1', '2'], 'the last change first, each once')
  second.change(4)
  await second.mirrored.look(true)
  await second.end()

  const third = await live()
  t.same(third.missing(), ['4', '3', '1', '2'], 'a life that ended before all were shown loses none of them')
  third.mirrored.caughtUp()
  third.change(5)
  await third.mirrored.look(false)
  await third.mirrored.look(true)
  third.change(6)
  await third.end()

  const fourth = await live()
  t.same(fourth.missing(), ['6', '5', '4', '3', '1', '2'], 'the mark moves a look late: the files may still be in memory only')
  fourth.mirrored.caughtUp()
  await fourth.mirrored.look(true)
  fourth.change(7)
  await fourth.mirrored.look(false)
  await fourth.mirrored.look(true)
  await fourth.end()

  replayed.length = 0
  const fifth = await live()
  t.same(fifth.missing(), ['7'], 'and once it moved, what is before it is not asked again')
  t.equal(replayed.length, 8, 'but the state, which has no snapshot, is read from all of the journal')
  await fifth.end()
})
