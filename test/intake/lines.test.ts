import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Taken } from '../../src/intake/index.ts'
import { door } from './door.ts'

/** A mailbox that has room for some: who is taken, in order, and how often anybody was looked at. */
async function fullHouse(root: string, folders: readonly string[]) {
  const house = await door(root, folders)
  const box = { room: 0, looks: 0, first: [] as string[], taken: [] as string[] }
  const usual = house.fate.of
  house.fate.of = async (one: Taken) => {
    const about = `${one.folder.shown}/${one.name}`
    box.looks++
    if (!box.first.includes(about)) box.first.push(about)
    if (box.room === 0 || !one.mayPass('legal')) return { againMs: 1_000, line: 'legal' }
    box.room--
    box.taken.push(about)
    return usual(one)
  }
  const drop = (folder: string, names: readonly string[]): void => {
    for (const name of names) writeFileSync(`${root}/${folder}/${name}`, 'x')
  }
  return { ...house, box, drop }
}

const names = (count: number, word: string): string[] => Array.from({ length: count }, (_, i) => `${word}${i}.md`)

t.test('of many that wait for room only the first is looked at, and all get in, in order, soon after there is some', async (t) => {
  const { box, drop, pass } = await fullHouse(t.testdir(), ['spool/legal'])
  drop('spool/legal', names(500, 'm'))
  await pass(3_000)
  t.equal(box.first.length, 500, 'each is looked at once')
  box.looks = 0
  await pass(30_000)
  t.ok(box.looks >= 30 && box.looks <= 30 * 3, `then the first, every second: ${box.looks}`)
  box.room = 50
  await pass(2_000)
  t.same(box.taken, box.first.slice(0, 50))
  box.room = 1_000
  await pass(3_000)
  t.same(box.taken, box.first)
  t.ok(box.looks < 3_000, `hardly more looks than files: ${box.looks}`)
})

t.test('who comes new does not go before those who wait; folders have their turn one after the other', async (t) => {
  const { box, drop, pass } = await fullHouse(t.testdir(), ['spool/legal', 'workspaces/cfo/outbox', 'workspaces/ceo/outbox'])
  drop('spool/legal', names(100, 'a'))
  await pass(2_000)
  drop('workspaces/cfo/outbox', names(10, 'b'))
  await pass(2_000)
  for (let n = 0; n < 16; n++) {
    box.room = 1
    drop('workspaces/ceo/outbox', [`new${n}.md`])
    await pass(1_000)
  }
  const of = (word: string): number => box.taken.filter((about) => about.includes(word)).length
  t.equal(box.taken.length, 16)
  t.ok(of('spool/legal') >= 4 && of('cfo') >= 4 && of('ceo') >= 4, `each had its turns: ${box.taken.join(' ')}`)
  box.room = 1_000
  await pass(4_000)
  t.equal(box.taken.length, 126)
  for (const folder of ['spool/legal', 'cfo', 'ceo']) {
    const isIts = (about: string): boolean => about.includes(folder)
    t.same(box.taken.filter(isIts), box.first.filter(isIts), `${folder} in order`)
  }
})

t.test('one that leaves the line, as it is removed or written, holds up nobody behind it', async (t) => {
  const { root, box, drop, pass } = await fullHouse(t.testdir(), ['spool/legal'])
  drop('spool/legal', names(20, 'm'))
  await pass(2_000)
  const order = [...box.first]
  for (const about of order.slice(0, 6)) rmSync(`${root}/${about}`)
  writeFileSync(`${root}/${order[6]}`, 'it says something else')
  box.room = 3
  await pass(3_000)
  t.same(box.taken.filter((about) => about !== order[6]).slice(0, 2), order.slice(7, 9))
  box.room = 100
  await pass(3_000)
  t.same(new Set(box.taken), new Set(order.slice(6)))
})

t.test('who takes long with what it stood in line for keeps the next from nothing', async (t) => {
  const { root, fate, pass } = await door(t.testdir(), ['spool/legal'])
  const underWay = new Map<string, () => void>()
  fate.of = async (one: Taken) => {
    if (underWay.size === 2 || !one.mayPass('/places')) return { againMs: 1_000, line: '/places' }
    one.leaveLine()
    await new Promise<void>((resolve) => underWay.set(one.name, resolve))
    underWay.delete(one.name)
    rmSync(`${root}/spool/legal/${one.name}`)
    return 'gone'
  }
  for (const name of names(5, 'm')) writeFileSync(`${root}/spool/legal/${name}`, 'x')
  await pass(2_000)
  const [first, second] = [...underWay.keys()]
  underWay.get(first ?? '')?.()
  await pass(2_000)
  const [, third] = [...underWay.keys()]
  t.not(third, undefined)
  underWay.get(second ?? '')?.()
  await pass(2_000)
  t.equal(underWay.size, 2, 'the second place is not empty while the third is at work')
  t.equal([...underWay.keys()][0], third)
})
