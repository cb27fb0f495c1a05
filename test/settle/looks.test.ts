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
