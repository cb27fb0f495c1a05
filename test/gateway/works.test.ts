import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createWorks } from '../../src/gateway/works.ts'
import { makeHandClock } from '../hand-clock.ts'

const pmo = 'pmo' as Name
const ground = () => {
  const clock = makeHandClock(0)
  const asked: { id: number; agent: Name; message: string }[] = []
  return { clock, asked, works: createWorks({ clock, ask: (holds) => void asked.push(holds) }) }
}

t.test('while the daemon is at something else, a message that is named is a normal one', async (t) => {
  const { clock, asked, works } = ground()
  const found = works.of(pmo, 'm1', true)
  await clock.turn(2_000)
  t.same(await found, { rank: 3 })
  works.answered(asked[0]?.id ?? 0, 1)
  t.same(await works.of(pmo, 'm1', true), { rank: 3 }, 'a word that comes too late is of no use')
})

t.test('what the daemon said holds for a while, and is asked again', async (t) => {
  const { clock, asked, works } = ground()
  const both = [works.of(pmo, 'm1', true), works.of(pmo, 'm1', true)]
  t.equal(asked.length, 1, 'once for all that ask')
  works.answered(asked[0]?.id ?? 0, 2)
  t.same(await Promise.all(both), [
    { rank: 2, message: 'm1' },
    { rank: 2, message: 'm1' },
  ])
  await clock.turn(5_001)
  void works.of(pmo, 'm1', true)
  t.equal(asked.length, 2)
  works.answered(asked[1]?.id ?? 0, undefined)
  t.same(await works.of(pmo, 'm1', true), { rank: 3 }, 'it holds it no more')
})

t.test('an agent that makes up messages does not keep the daemon busy', async (t) => {
  const { asked, works } = ground()
  const all = Array.from({ length: 100 }, (_, n) => works.of(pmo, `m${n}`, true))
  t.equal(asked.length, 8)
  t.same(await all[99], { rank: 3 })
  works.answered(asked[0]?.id ?? 0, 5)
  t.same(await all[0], { rank: 5, message: 'm0' })
  void works.of(pmo, 'another', true)
  t.equal(asked.length, 9)
})

t.test('outside, a caller may name any message that it holds; in its jail only what it works on', async (t) => {
  const { asked, works } = ground()
  works.began({ agent: pmo, run: 'r1', message: 'm1', rank: 4 })
  t.same(await works.of(pmo, 'm2', false), { rank: 4, message: 'm1' })
  t.equal(asked.length, 0)
  const outside = works.of(pmo, 'm2', true)
  works.answered(asked[0]?.id ?? 0, 1)
  t.same(await outside, { rank: 1, message: 'm2' })
  works.began({ agent: pmo, run: 'r1', message: 'm1', rank: 2 })
  t.same(await works.of(pmo, undefined, false), { rank: 2, message: 'm1' }, 'told anew, its rank is another')
  works.over('r1')
  t.same(await works.of(pmo, undefined, false), { rank: 3 })
})
