import t from 'tap'
import { handPool } from './hand-pool.ts'

/** Nothing can be sent. */
function full() {
  const pool = handPool({ limits: { requests: 60 } })
  for (let n = 0; n < 60; n++) pool.want('before')
  while (pool.report().waiting > 0) pool.serve()
  return pool
}

t.test('a session that was told to come back has its old place', async (t) => {
  const pool = full()
  const held = pool.want('a', { session: 's' })
  const other = pool.want('b')
  pool.giveBack(held)
  t.equal(pool.report().keptPlaces, 1)
  pool.turn(10_000)
  const later = pool.want('c')
  const again = pool.want('a', { session: 's' })
  t.same(pool.taken(), [again, other, later])
  t.equal(pool.report().keptPlaces, 0)
})

t.test('without a session, in another rank, as another agent, or after two minutes it begins at the end', async (t) => {
  for (const [before, after, ms] of [
    [{}, {}, 0],
    [{ session: 's', rank: 4 }, { session: 's', rank: 3 }, 0],
    [{ session: 's' }, { session: 't' }, 0],
    [{ session: 's' }, { session: 's' }, 120_000],
  ] as const) {
    const pool = full()
    pool.giveBack(pool.want('a', before))
    const other = pool.want('b')
    pool.turn(ms)
    const again = pool.want('a', after)
    pool.turn(10_000)
    t.same(pool.taken().slice(0, 2), [other, again])
  }
  const pool = full()
  pool.giveBack(pool.want('a', { session: 's' }))
  const other = pool.want('b')
  const foreign = pool.want('c', { session: 's' })
  pool.turn(10_000)
  t.same(pool.taken(), [other, foreign])
})

t.test('a kept place gives no more than staying in line would have', async (t) => {
  const pool = full()
  // One agent that comes back for each of ten sessions, beside one that stays.
  const sessions = Array.from({ length: 10 }, (_, n) => `s${n}`)
  for (const key of sessions.map((session) => pool.want('a', { session }))) pool.giveBack(key)
  for (let n = 0; n < 10; n++) pool.want('b')
  for (const session of sessions) pool.want('a', { session })
  const order: string[] = []
  for (let n = 0; n < 25; n++) {
    pool.turn(1_000)
    order.push(...pool.serve())
  }
  t.equal(order.length, 20)
  for (const length of [4, 10, 16]) {
    const had = order.slice(0, length).filter((agent) => agent === 'a').length
    t.ok(Math.abs(had - length / 2) <= 1, `${had} of the first ${length}`)
  }
})

t.test('sessions that one agent makes up push out no place of another, and fill no memory', async (t) => {
  const pool = full()
  const held = pool.want('a', { session: 's' })
  pool.giveBack(held)
  for (let n = 0; n < 12_000; n++) pool.giveBack(pool.want('b', { session: `made-up-${n}` }))
  t.ok(pool.report().keptPlaces <= 1_001, String(pool.report().keptPlaces))
  const again = pool.want('a', { session: 's' })
  const other = pool.want('c')
  pool.turn(10_000)
  t.same(pool.taken().slice(0, 2), [again, other])
  t.ok(pool.report().keptPlaces <= 1_000, 'its place was there')
})
