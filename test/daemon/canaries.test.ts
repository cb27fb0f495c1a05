import { mkdirSync, readdirSync } from 'node:fs'
import t from 'tap'
import { createCanaries } from '../../src/daemon/canaries.ts'
import type { Delivered } from '../../src/deliver/index.ts'
import { layoutOf } from '../../src/mailbox/index.ts'
import { realSystem } from '../../src/system/index.ts'

t.test('a test message that nobody waits for any more is taken away and forgotten when the next is sent', async (t) => {
  const root = t.testdir()
  const layout = layoutOf(root)
  for (const folder of [layout.spool, layout.staging, layout.private('canary')]) mkdirSync(folder, { recursive: true })
  const { disk, ids, self } = await realSystem(layout.staging, 'error', () => undefined)
  const canaries = createCanaries(disk, ids, layout, self)
  const passed: string[] = []
  const lost = canaries.drop(() => undefined)
  const [first = ''] = readdirSync(layout.spool)
  const second = canaries.drop((station) => void passed.push(station))
  await t.rejects(lost, { message: 'it was given up' })
  const [name = '', ...others] = readdirSync(layout.spool)
  t.same(others, [])
  t.not(name, first)
  t.notOk(canaries.isCanary(first))
  t.ok(canaries.isCanary(name))
  canaries.noticed(name)
  disk.create(`${layout.private('canary')}/x.md`, '', 0o600)
  canaries.through({ intent: { name, copies: [{ file: 'x.md' }] } } as unknown as Delivered)
  await second
  t.same(passed, ['dropped', 'noticed', 'delivered'])
  t.notOk(canaries.isCanary(name))
})
