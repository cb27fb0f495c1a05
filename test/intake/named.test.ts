import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Fate } from '../../src/intake/index.ts'
import { createNamed } from '../../src/intake/named.ts'
import { door } from './door.ts'

const waits = (attach: readonly string[]): Fate => ({ againMs: 60_000, attach })

t.test('a file beside a message that waits, and that names it, is left alone; any other is told of', async (t) => {
  const { root, taken, open, fate, pass } = await door(t.testdir())
  fate.of = async (one) => (one.name === 'waits.md' ? waits(['./report.csv', 'half.tmp', 'home/of/the/agent.csv']) : 'gone')
  writeFileSync(`${root}/spool/waits.md`, 'x')
  for (const name of ['report.csv', 'half.tmp', 'agent.csv', 'other.csv']) writeFileSync(`${root}/spool/${name}`, 'x')
  await pass(6 * 60_000)
  t.same([...open.keys()].sort(), ['unmatched-file spool/agent.csv', 'unmatched-file spool/other.csv'])
  rmSync(`${root}/spool/waits.md`)
  await pass(9_000)
  t.equal(open.size, 2, 'their time begins when nobody waits for them any more')
  await pass(4_000)
  t.ok(open.has('unmatched-file spool/report.csv'))
  t.same(taken, [])
})

t.test('a file that was told of is told of no longer once a message that waits names it', async (t) => {
  const { root, open, fate, pass } = await door(t.testdir(), ['workspaces/cfo/outbox'])
  writeFileSync(`${root}/workspaces/cfo/outbox/report.csv`, 'x')
  await pass(12_000)
  t.same([...open.keys()], ['unmatched-file workspaces/cfo/outbox/report.csv'])
  let attach = ['report.csv']
  fate.of = async () => waits(attach)
  writeFileSync(`${root}/workspaces/cfo/outbox/waits.md`, 'x')
  await pass(1_000)
  t.equal(open.size, 0)
  attach = []
  writeFileSync(`${root}/workspaces/cfo/outbox/waits.md`, 'it was changed, and sends nothing along')
  await pass(75_000)
  t.same([...open.keys()], ['unmatched-file workspaces/cfo/outbox/report.csv'])
})

t.test('where several write, a message names only files of its own owner', (t) => {
  const changed: string[] = []
  const named = createNamed(true, (file) => changed.push(file))
  named.set('a.md', 1_001, ['x.csv', 'x.csv', 'y.csv'])
  named.set('b.md', 1_001, ['x.csv'])
  named.set('c.md', 1_002, ['x.csv'])
  t.same([named.has('x.csv', 1_001), named.has('x.csv', 1_002), named.has('y.csv', 1_002), named.has('x.csv', 1_003)], [true, true, false, false])
  t.same(changed.splice(0), ['x.csv', 'y.csv', 'x.csv'])
  named.set('a.md', 1_001, ['y.csv'])
  t.same(changed, [], 'another still names it')
  named.set('b.md', 0, [])
  named.set('a.md', 0, [])
  t.same(changed.splice(0), ['x.csv', 'y.csv'])
  t.same([named.has('x.csv', 1_001), named.has('x.csv', 1_002), named.has('y.csv', 1_001)], [false, true, false])
  t.end()
})
