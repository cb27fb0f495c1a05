import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { makeVersions } from '../../src/settle/versions.ts'
import { makeHandClock } from '../hand-clock.ts'

const mailOf = (holder: string) => ({ holder: holder as Name, id: '019a0000-0000-7000-8000-000000000001' as MessageId })
const text = (updated: number, bytes = 0): Buffer => Buffer.from(`---\nupdated: ${updated}\n---\n${'x'.repeat(bytes)}`)

t.test('what nobody can be at work on any more is let go: at rest nothing is held', async (t) => {
  const clock = makeHandClock(Date.UTC(2030, 0, 1))
  const versions = makeVersions(clock)
  versions.note(mailOf('legal'), text(1), text(2))
  await clock.turn(6 * 60_000)
  versions.note(mailOf('legal'), text(2), text(3))
  versions.sweep()
  t.equal(versions.of(mailOf('legal')).length, 2)
  clock.step(86_400_000)
  await clock.turn(6 * 60_000)
  versions.sweep()
  t.match(versions.of(mailOf('legal')), [{ updated: '2' }], 'a step of the wall clock ages nothing')
  await clock.turn(6 * 60_000)
  versions.sweep()
  t.same(versions.of(mailOf('legal')), [])
})

t.test('thousands of holders together are bounded, and who has little loses nothing to who has much', async (t) => {
  const versions = makeVersions(makeHandClock(Date.UTC(2030, 0, 1)))
  versions.note(mailOf('quiet'), text(1), text(2))
  const holders = Array.from({ length: 500 }, (_, i) => `agent-${i}`)
  const large = text(2, 100_000)
  for (let updated = 3; updated < 9; updated++) for (const holder of holders) versions.note(mailOf(holder), text(updated, 100_000), large)
  const held = holders.flatMap((holder) => versions.of(mailOf(holder))).reduce((sum, { seen, whole }) => sum + seen.length + whole.length, 0)
  t.ok(held <= 64 * 1024 * 1024, `${held} bytes`)
  t.ok(held > 1024 * 1024, `${held} bytes`)
  t.equal(versions.of(mailOf('quiet')).length, 1)
})
