import t from 'tap'
import { makePacking } from '../../src/daemon/packing.ts'
import type { DropFolder } from '../../src/intake/index.ts'

const outboxOf = (name: string): DropFolder => ({ path: `workspaces/${name}/outbox`, shown: '', kind: 'outbox', name })

t.test('one sender has two places, all together eight; what waits is called when one is free, everybody in turn', async (t) => {
  const packing = makePacking(({ name }, n) => {
    called.push(`${name}/${n}`)
    begin(name, Number(n))
  })
  const called: string[] = []
  const ends: (() => void)[] = []
  const begin = (sender: string, n: number): boolean => {
    const end = packing.begin(sender, outboxOf(sender), String(n))
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
  const called: string[] = []
  const packing = makePacking((_, name) => called.push(name))
  const eve = outboxOf('eve')
  const first = packing.begin('eve', eve, '1')
  packing.begin('eve', eve, '2')
  for (const n of ['3', '4', '5']) packing.begin('eve', eve, n)
  first?.()
  t.same(called, ['3', '4'])
  t.ok(packing.begin('eve', eve, '6'), 'the place is free')
})

t.test('of a crowd that waits for a place only the first few are kept in mind', async (t) => {
  const called: string[] = []
  const packing = makePacking((_, name) => called.push(name))
  const ends = ['a', 'b'].map((name) => packing.begin('eve', outboxOf('eve'), name))
  for (let n = 0; n < 1_000; n++) packing.begin('eve', outboxOf('eve'), `m-${n}`)
  for (const end of ends) end?.()
  for (let n = 0; n < 20; n++) packing.begin('eve', outboxOf('eve'), `later-${n}`)?.()
  t.same(called, ['m-0', 'm-1', 'm-2', 'm-3', 'm-4', 'm-5', 'm-6', 'm-7'])
})
