import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { makeLooks } from '../../src/settle/looks.ts'
import type { Clock } from '../../src/system/types.ts'

const clock = { monotonic: () => performance.now(), soon: (call: () => void) => void setImmediate(call) } as unknown as Clock

t.test('who has thousands of files looked at keeps nobody else waiting, and few are under way at once', async (t) => {
  const seen: string[] = []
  let underWay = 0
  let most = 0
  const looks = makeLooks<string>(clock, async (key) => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => void setImmediate(resolve))
    seen.push(key)
    underWay--
  })
  for (let i = 0; i < 2000; i++) looks.soon('legal' as Name, `legal-${i}`)
  looks.soon('legal' as Name, 'legal-0')
  looks.soon('cfo' as Name, 'cfo-0')
  await looks.idle()
  t.equal(seen.length, 2001, 'each once')
  t.ok(seen.indexOf('cfo-0') < 3)
  t.ok(most <= 32)
})

t.test('however often somebody makes one file to be looked at again later, it is looked at once, and at the soonest', async (t) => {
  const seen: string[] = []
  const after = (ms: number, call: () => void): (() => void) => {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  }
  const looks = makeLooks<string>({ ...clock, after }, async (key) => void seen.push(key))
  for (let i = 0; i < 1000; i++) looks.later('legal' as Name, 'one', 100 - (i % 50))
  looks.later('legal' as Name, 'other', 1)
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.same(seen, ['other', 'one'])
  looks.later('legal' as Name, 'one', 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.same(seen, ['other', 'one', 'one'], 'afterwards it may be asked again')
})
