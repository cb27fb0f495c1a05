import t from 'tap'
import type { Entry } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { openJournal } from '../../src/journal/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from './ground.ts'

t.test('what happened to a message is told in order, over many segments, in one pass for all who ask', async (t) => {
  const folder = t.testdir()
  const clock = handClock(Date.UTC(2030, 0, 1))
  const { disk, calls } = breakable()
  const ids = makeIds(clock)
  const admitted = (id: MessageId): Parameters<ReturnType<typeof openJournal>['record']>[0] => ({
    event: 'admitted',
    drop: ids.next(),
    from: 'ceo',
    via: 'person',
    sha256: '',
    thread: id,
    hops: 0,
    name: 'a.md',
    copies: [{ id, to: 'legal' as Name, kind: 'task', file: 'f', subject: 's', priority: 'normal', rank: 3 }],
  })
  const status = (id: MessageId, by: string): Parameters<ReturnType<typeof openJournal>['record']>[0] => ({
    event: 'status',
    id,
    holder: 'legal' as Name,
    was: 'open',
    status: 'open',
    folder: 'new',
    by,
    updated: '',
  })
  let journal = openJournal(disk, clock, folder)
  const [mine, other] = [ids.next(), ids.next()]
  const filler = ids.next()
  journal.record(admitted(mine))
  journal.record(admitted(other))
  for (let segment = 0; segment < 3; segment++) {
    journal.record(status(mine, `"event":"status","id":"${other}" ${segment}`))
    for (let i = 0; i < 10_000; i++) journal.record(status(filler, 'x'))
    journal.record(status(other, String(segment)))
    journal.end()
  }
  await journal.close()
  journal = openJournal(disk, clock, folder)
  const reads = (): number => calls.get('readFile') ?? 0
  const told = async (id: MessageId): Promise<Entry[]> => {
    const entries: Entry[] = []
    await journal.pastOf(id, (entry) => entries.push(entry))
    return entries
  }
  const [one, two, none] = await Promise.all([told(mine), told(other), told(ids.next())])
  t.same(
    one.map((entry) => (entry.event === 'status' ? entry.by.slice(-1) : entry.event)),
    ['admitted', '0', '1', '2'],
  )
  t.same(
    two.map((entry) => (entry.event === 'status' ? entry.by : entry.event)),
    ['admitted', '0', '1', '2'],
  )
  t.same(none, [], 'an id that nobody has')
  t.ok(reads() <= 2 * journal.segments.list().length, 'the first began alone, the others shared')
  const before = reads()
  await Promise.all(Array.from({ length: 50 }, () => told(mine)))
  t.ok(reads() - before <= 2 * journal.segments.list().length)
  const now = told(mine)
  journal.record(status(mine, 'new'))
  t.match((await now).at(-1), { by: 'new' }, 'what is recorded meanwhile is told too')
  await journal.close()
})
