import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { layoutOf, makeFinder, pinFolders } from '../../src/mailbox/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from '../journal/ground.ts'

const eve = 'eve' as Name

function ground(root: string) {
  const { disk } = breakable()
  const clock = handClock(Date.UTC(2026, 10, 1))
  const listed: string[] = []
  const counting = {
    ...disk,
    openFolder: (path: string | Buffer) => {
      listed.push(String(path).slice(root.length + 1))
      return disk.openFolder(path)
    },
  }
  const pins = pinFolders(disk)
  const id = makeIds(clock).next()
  for (const folder of ['new', 'cur', 'done/2026-01']) mkdirSync(`${root}/workspaces/eve/${folder}`, { recursive: true })
  return { clock, listed, pins, id, file: `3-normal.${id}.a.md`, finder: makeFinder(counting, layoutOf(root), clock, pins) }
}

t.test('what is found in a past month stays what it was when its folder becomes a link', async (t) => {
  const root = t.testdir({ elsewhere: {} })
  const { finder, pins, id, file } = ground(root)
  const month = `${root}/workspaces/eve/done/2026-01`
  writeFileSync(`${month}/${file}`, 'mine')
  writeFileSync(`${root}/elsewhere/${file}`, 'theirs')
  const found = finder.find(eve, id, file)
  renameSync(month, `${root}/workspaces/eve/done/away`)
  symlinkSync(`${root}/elsewhere`, month)
  t.equal(found && readFileSync(found.path, 'utf8'), 'mine')
  t.equal(finder.find(eve, id, file), undefined, 'a link that took its place is not followed')
  t.equal(finder.find(eve, id, `3-normal.${id}.other.md`), undefined, 'by no name')
  pins.closeAll()
})

t.test('by its first name a message is found in any month without a listing of months; by another name with one', async (t) => {
  const root = t.testdir()
  const { finder, listed, pins, clock, id, file } = ground(root)
  const done = `${root}/workspaces/eve/done`
  for (let i = 1; i <= 300; i++) mkdirSync(`${done}/${String(i).padStart(4, '0')}-00`)
  for (const month of ['2026-02', '2026-03']) mkdirSync(`${done}/${month}`)
  writeFileSync(`${done}/2026-01/${file}`, 'x')
  t.equal(finder.find(eve, id, file)?.file, file)
  t.same(listed, ['workspaces/eve/new', 'workspaces/eve/cur', 'workspaces/eve/done'])
  renameSync(`${done}/2026-01/${file}`, `${done}/2026-01/1-urgent.${id}.b.md`)
  clock.turn(200)
  t.equal(finder.find(eve, id, file)?.file, `1-urgent.${id}.b.md`)
  t.ok(listed.length <= 3 + 3 + 3, 'what only looks like a month is never listed')
  pins.closeAll()
})
