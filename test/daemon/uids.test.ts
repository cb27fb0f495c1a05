import { writeFileSync } from 'node:fs'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { readUids, writeUids } from '../../src/daemon/uids.ts'
import { realSystem } from '../../src/system/index.ts'

const name = (text: string): Name => text as Name
const RANGE = { from: 410_000, to: 410_009 }

t.test('uids are handed out once, kept over restarts, and never reused', async (t) => {
  const folder = t.testdir()
  const { disk } = await realSystem(folder, 'error', () => undefined)
  const file = `${folder}/uids.yaml`
  const first = readUids(disk, file)
  first.assign(name('ceo'), RANGE)
  first.assign(name('cfo'), RANGE)
  first.assign(name('ceo'), RANGE)
  t.same(first.of(name('ceo')), { uid: 410_000, readersGid: 410_001 })
  t.same(first.of(name('cfo')), { uid: 410_002, readersGid: 410_003 })
  writeFileSync(file, writeUids(first))

  const later = readUids(disk, file)
  t.same(later.of(name('cfo')), { uid: 410_002, readersGid: 410_003 })
  later.assign(name('legal'), RANGE)
  t.equal(later.of(name('legal'))?.uid, 410_004, 'not that of somebody before')
})

t.test('a range that is used up is said', async (t) => {
  const folder = t.testdir()
  const { disk } = await realSystem(folder, 'error', () => undefined)
  const uids = readUids(disk, `${folder}/uids.yaml`)
  for (const agent of ['a', 'b', 'c', 'd', 'e']) uids.assign(name(agent), RANGE)
  t.throws(() => uids.assign(name('f'), RANGE), /410000-410009 of policies\/org.yaml are used up/)
})
