import fc from 'fast-check'
import t from 'tap'
import { createBucket } from './bucket.ts'

t.test('in no stretch of time more goes through than what was there and what came', async (t) => {
  const steps = fc.array(fc.record({ waitMs: fc.nat(5000), amount: fc.nat(50) }), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600 }), fc.constantFrom(0.1, 1), steps, (limit, burst, steps) => {
      const bucket = createBucket(limit, burst, 0)
      let now = 0
      let taken = 0
      for (const { waitMs, amount } of steps) {
        now += waitMs
        if (bucket.waitMs(amount, now) > 0) continue
        bucket.take(amount, now)
        taken += amount
      }
      return taken <= Math.max(1, limit * burst) + (limit * now) / 60_000 + 1e-6
    }),
  )
  t.pass('for any limit and any pace')
})

t.test('what it tells is kept: not a moment earlier, and then surely', async (t) => {
  const bucket = createBucket(60, 1, 0)
  bucket.take(60, 0)
  t.equal(bucket.waitMs(1, 0), 1000)
  t.equal(bucket.fullInMs(0), 60_000)
  t.ok(bucket.waitMs(1, 999) > 0)
  t.equal(bucket.waitMs(1, 1000), 0)
  t.equal(bucket.level(30_000), 30, 'it comes without steps')
  t.equal(bucket.fullInMs(30_000), 30_000)
  t.equal(bucket.waitMs(61, 30_000), Number.POSITIVE_INFINITY, 'what is larger than the bucket never fits')
  bucket.take(100, 30_000)
  t.equal(bucket.waitMs(1, 30_000), 71_000, 'a debt is paid first')
  bucket.set(120, 1, 30_000)
  t.equal(bucket.waitMs(1, 30_000), 35_500)
})
