import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, lettersOf, message, pause, until } from './files.ts'

/** Contract, page 5. */
const FILES = 100_000
const BOUND_MS = 2_000

t.test('100,000 files that an agent makes in its own new/ delay no other mail by more than two seconds, and are one alert', async (t) => {
  const org = await organisation(t)
  await org.up()
  const filling = org.as('legal', `cd new && seq ${FILES / 2} | xargs touch && seq ${FILES / 2} | sed 's/$/.md/' | xargs touch`)
  let isFilled = false
  void filling.then(() => (isFilled = true))
  const late: number[] = []
  const isOver = (): boolean => isFilled && alertsOf(org.root).some(({ head }) => (head.get('about') ?? '').endsWith('workspaces/legal/new'))
  const start = performance.now()
  for (let i = 0; !isOver() || i < 20; i++) {
    const { at } = org.drop(`spool/pmo/n${i}.md`, message({ subject: `number ${i}`, kind: 'note' }))
    await until(`number ${i}`, () => lettersOf(org.root, 'pmo').some(({ head }) => head.get('subject') === `number ${i}`))
    late.push(performance.now() - at)
    if (performance.now() - start > 60_000) throw new Error('the folder is not told of')
    await pause(200)
  }
  await filling
  t.ok(Math.max(...late) < BOUND_MS, `the slowest of ${late.length} took ${Math.round(Math.max(...late))} ms`)
  const strays = alertsOf(org.root).filter(({ code }) => code === 'unmatched-file')
  t.ok(strays.length <= 22, `${strays.length} alerts`)
  await org.as('legal', 'rm -rf new/* 2>/dev/null || find new -type f -delete')
})
