import { linkSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { findById, pinFolders } from '../../src/mailbox/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from '../journal/ground.ts'

t.test('a folder that is swapped under us leads nowhere', async (t) => {
  const root = t.testdir({ new: { a: 'mine' }, elsewhere: { a: 'theirs' } })
  const { disk } = breakable()
  const pins = pinFolders(disk)
  const path = pins.at(`${root}/new`, 'a')
  renameSync(`${root}/new`, `${root}/old`)
  symlinkSync(`${root}/elsewhere`, `${root}/new`)
  t.equal(readFileSync(path, 'utf8'), 'mine')
  t.notOk(pins.stillThere(`${root}/new`))
  t.throws(() => pins.at(`${root}/new`, 'a'), 'a link is not followed')
  pins.closeAll()
})

t.test('a folder made anew under its name is seen to be another one', async (t) => {
  const root = t.testdir({ new: {} })
  const pins = pinFolders(breakable().disk)
  pins.at(`${root}/new`, 'a')
  t.ok(pins.stillThere(`${root}/new`))
  renameSync(`${root}/new`, `${root}/old`)
  t.notOk(pins.stillThere(`${root}/new`))
  pins.at(`${root}/old`, 'a')
  mkdirSync(`${root}/new`)
  t.ok(pins.stillThere(`${root}/new`), 'not pinned: nothing to compare')
  pins.closeAll()
})

t.test('more folders than there may be descriptors', async (t) => {
  const root = t.testdir()
  const pins = pinFolders(breakable().disk)
  for (let i = 0; i < 600; i++) {
    mkdirSync(`${root}/${i}`)
    writeFileSync(pins.at(`${root}/${i}`, 'a'), String(i))
  }
  for (let i = 0; i < 600; i++) if (readFileSync(pins.at(`${root}/${i}`, 'a'), 'utf8') !== String(i)) t.fail(`folder ${i}`)
  t.equal(breakable().disk.list('/proc/self/fd').length < 600, true)
  pins.closeAll()
})

t.test('a message is found in every place it lies, and in past months only if it lies nowhere else', async (t) => {
  const id = makeIds(handClock(0)).next()
  const name = `3-normal.${id}.a.md`
  const root = t.testdir({ new: {}, cur: {}, done: { '2026-10': { [name]: 'x' }, other: { [name]: 'x' } } })
  const { disk } = breakable()
  const at = (folder: string, file: string): string => `${folder}/${file}`
  const find = (): string[] => findById(disk, (folder) => `${root}/${folder}`, id, at).map(({ path }) => path.slice(root.length + 1))
  t.same(find(), [`done/2026-10/${name}`])
  linkSync(`${root}/done/2026-10/${name}`, `${root}/cur/${name}`)
  linkSync(`${root}/done/2026-10/${name}`, `${root}/new/9-low.${id}.b.md`)
  t.same(find(), [`new/9-low.${id}.b.md`, `cur/${name}`])
})
