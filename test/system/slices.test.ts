import t from 'tap'
import { inSlices } from '../../src/system/slices.ts'
import { makeHandClock } from '../hand-clock.ts'

t.test('long work lets others have their turn, keeps its order, and fails as a whole', async (t) => {
  const clock = makeHandClock(0)
  let elapsed = 0
  let turns = 0
  const counting = {
    ...clock,
    monotonic: () => elapsed,
    soon: (call: () => void) => {
      turns++
      clock.soon(call)
    },
  }
  const done: number[] = []
  const items = Array.from({ length: 100 }, (_, n) => n)
  await inSlices(counting, items, (item) => {
    done.push(item)
    elapsed += 5
  })
  t.same(done, items)
  t.equal(turns, 50, 'each 8 ms')
  await t.rejects(
    inSlices(counting, items, () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
})
