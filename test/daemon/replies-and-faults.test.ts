import { closeSync, openSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { realSystem } from '../../src/system/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { mailOf } from '../crash/house.ts'
import { alertOf, alertsOf, type Letter, lettersOf, message } from '../e2e/files.ts'
import { MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

/** A task of cfo's at legal. */
async function withTask(
  t: Test,
  breakDisk: (disk: Disk) => Disk = (disk) => disk,
): Promise<{ house: TurnedHouse; task: Letter; reply: (settles?: string) => void }> {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const house = await turnedHouse(t, {}, { disk: breakDisk(disk) })
  house.drop('workspaces/cfo/outbox/a.md', message({ to: 'legal', subject: 'the task' }))
  const task = await house.until('the task', () => lettersOf(house.root, 'legal')[0])
  return {
    house,
    task,
    reply: (settles) =>
      house.drop('workspaces/legal/outbox/r.md', message({ to: 'cfo', in_reply_to: task.id, ...(settles === undefined ? {} : { settles }) }, 'Yes.\n')),
  }
}

/** Refuses to write what says this, as long as it is asked to. */
function refusing(what: RegExp): { isFull: boolean; refused: number; disk: (disk: Disk) => Disk } {
  const state = {
    isFull: true,
    refused: 0,
    disk: (disk: Disk): Disk => ({
      ...disk,
      create: (path, bytes, ...more) => {
        if (!state.isFull || !what.test(bytes.toString())) return disk.create(path, bytes, ...more)
        state.refused++
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' })
      },
    }),
  }
  return state
}

const notes = (house: TurnedHouse): Letter[] => lettersOf(house.root, 'legal').filter(({ head }) => head.get('subject')?.includes('answered, not closed'))

t.test('what a reply means is done once there is room again, and told until then', async (t) => {
  const full = refusing(/^status: done$(.|\n)*Please look/m)
  const { house, task, reply } = await withTask(t, full.disk)
  reply('done')
  await house.until('it was tried', () => full.refused > 0)
  const told = await house.until('it is told', () => alertsOf(house.root).find(({ text }) => text.includes('r.md of legal')))
  t.match(told.text, /ENOSPC/)
  t.equal(told.head.get('fix'), 'penny doctor')
  full.isFull = false
  const done = await house.until('done', () => lettersOf(house.root, 'legal').find(({ id, folder }) => id === task.id && folder === 'done'))
  t.equal(done.head.get('status'), 'done')
  await house.until('the alert goes', () => !alertOf(house.root, 'disk-full'))
})

for (const then of ['room again', 'another start'] as const) {
  t.test(`the holder is told of an answer that did not close its task, once, also where the disk was full at that moment: ${then}`, async (t) => {
    const full = refusing(/You answered/)
    const { house, task, reply } = await withTask(t, full.disk)
    reply()
    await house.until('it was tried', () => full.refused > 0)
    t.same(notes(house), [])
    if (then === 'room again') full.isFull = false
    else await house.restart(() => (full.isFull = false))
    await house.until('told', () => notes(house)[0])
    await house.pass(MINUTE, SECOND)
    t.equal(notes(house).length, 1)
    const noted = await house.until('noted', () => mailOf(house.root).find(({ id, text }) => id === task.id && text.includes('\nanswered: ')))
    t.equal(readFileSync(noted.path, 'utf8').match(/^answered: /gm)?.length, 1)
  })
}

t.test('where a task is held open for too long, what closes it in the name of its holder can be pasted', async (t) => {
  const { house, task, reply } = await withTask(t)
  const fd = openSync(task.path, 'r+')
  t.teardown(() => closeSync(fd))
  reply('failed')
  const told = await house.until('it is told', () => alertOf(house.root, 'status-conflict'), 5 * MINUTE)
  t.equal(told.head.get('fix'), `penny settle ${task.id} failed --agent legal`)
})
