import t from 'tap'
import { makePacking } from '../../src/daemon/packing.ts'

t.test('one sender has two places, all together eight; what waits is called when one is free, everybody in turn', async (t) => {
  const packing = makePacking()
  const called: string[] = []
  const ends: (() => void)[] = []
  const begin = (sender: string, n: number): boolean => {
    const end = packing.begin(sender, `${sender}/${n}`, () => {
      called.push(`${sender}/${n}`)
      begin(sender, n)
    })
    if (end) ends.push(end)
    return end !== undefined
  }
  t.same(
    [1, 2, 3, 4, 5].map((n) => begin('eve', n)),
    [true, true, false, false, false],
  )
  t.same(
    ['a', 'b', 'c'].flatMap((name) => [begin(name, 1), begin(name, 2)]),
    [true, true, true, true, true, true],
  )
  t.equal(begin('d', 1), false, 'all eight are taken')
  ends.shift()?.()
  t.same(called, ['eve/3', 'eve/4'], 'the first that waits for itself, and one more in case')
  ends.shift()?.()
  t.same(called.slice(2), ['d/1'], 'then who waited for the others')
  for (let rounds = 0; rounds < 20; rounds++) ends.shift()?.()
  t.same(ends, [])
  t.ok(
    ['eve/3', 'eve/4', 'eve/5', 'd/1'].every((one) => called.includes(one)),
    'everybody had a turn',
  )
})

t.test('what was called and had gone keeps nobody waiting', async (t) => {
  const packing = makePacking()
  const first = packing.begin('eve', '1', () => undefined)
  packing.begin('eve', '2', () => undefined)
  const called: number[] = []
  for (const n of [3, 4, 5]) packing.begin('eve', String(n), () => called.push(n))
  first?.()
  t.same(called, [3, 4])
  t.ok(
    packing.begin('eve', '6', () => undefined),
    'the place is free',
  )
})
