import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { makeOffice, pause, until } from './office.ts'

/** The first run hangs, the next is done at once. */
const HANG = 'echo $$ >> pids.txt; [ $(wc -l < pids.txt) -gt 1 ] || sleep 600; echo done'
const isAlive = (pid: string): boolean => existsSync(`/proc/${pid.trim()}`) && !readFileSync(`/proc/${pid.trim()}/stat`, 'utf8').includes(') Z ')
const legal = 'legal' as Name

t.test('paused agents are not woken, also after a restart; resuming wakes them', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', 'echo hi')
  office.agent('cfo', 'echo hi')
  const first = await office.open()
  await first.pause(legal, false)
  await first.stop(0)
  const [task, other] = [office.deliver('legal'), office.deliver('cfo')]
  const second = await office.open()
  t.same(second.paused(), ['legal'])
  await until('the other is done', () => office.find(other)?.folder === 'done')
  t.equal(office.find(task)?.folder, 'new')
  await second.resume(legal)
  await until('done', () => office.find(task)?.folder === 'done')
  await second.pause('all', false)
  t.ok(second.isPaused(legal))
  second.offer(office.deliver('cfo').id)
  await pause(50)
  t.same(second.running(), [])
  await second.resume('all')
  await until('all done', () => office.letters.size === 3)
})

t.test('a run that we end is no attempt: by pause, by configuration, by the end of the daemon', async (t) => {
  for (const how of ['pause', 'configuration', 'shutdown'] as const) {
    const office = makeOffice(t)
    office.agent('legal', HANG, { maxAttempts: 1 })
    const task = office.deliver('legal')
    let dispatcher = await office.open()
    const pid = await until('running', () => office.home('legal', 'pids.txt') || undefined)
    t.match(dispatcher.running(), [{ agent: 'legal', id: task.id }])
    const start = performance.now()
    if (how === 'pause') await dispatcher.pause(legal, true)
    else if (how === 'configuration') {
      office.wake.concurrency = 0
      await dispatcher.endRuns(legal)
    } else await dispatcher.stop(0)
    t.ok(performance.now() - start < 2000, 'within 2 s')
    t.notOk(isAlive(pid), 'no survivor')
    t.equal(office.find(task)?.folder, 'new')
    t.same(office.records(), [], 'nothing is left to recover')
    t.match(office.events.at(how === 'pause' ? -1 : -1), { event: 'run-ended', how: `stopped: ${how}`, attempt: false })
    office.wake.concurrency = 8
    if (how === 'pause') await dispatcher.resume(legal)
    else if (how === 'configuration') dispatcher.kick()
    else dispatcher = await office.open()
    await until('done', () => office.find(task)?.folder === 'done')
    t.same(office.faults, [])
  }
})

t.test('a drained stop lets runs finish and starts no new ones; a run that takes too long is ended', async (t) => {
  const office = makeOffice(t)
  office.wake.concurrency = 2
  office.agent('quick', 'echo x > started.txt; sleep 0.5; echo finished')
  office.agent('slow', 'echo x > started.txt; sleep 600')
  const [quick, slow, late] = [office.deliver('quick'), office.deliver('slow'), office.deliver('quick')]
  const dispatcher = await office.open()
  await until('both', () => office.home('quick', 'started.txt') && office.home('slow', 'started.txt'))
  await dispatcher.stop(1500)
  t.same(
    [quick, slow, late].map((mail) => office.find(mail)?.status),
    ['done', 'open', 'open'],
  )
  t.match([...office.letters.values()], [{ body: 'finished\n' }])
})

t.test('a task that its sender withdraws ends its run', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', HANG)
  const task = office.deliver('legal')
  const dispatcher = await office.open()
  const pid = await until('running', () => office.home('legal', 'pids.txt') || undefined)
  await office.given.apply({ id: task.id, to: 'cancelled', actor: 'sender', by: 'operator' })
  dispatcher.changed({ id: task.id, holder: legal, was: 'in_progress', now: 'cancelled', by: 'operator' })
  await until('ended', () => !isAlive(pid) && dispatcher.running().length === 0)
  t.equal(office.find(task)?.status, 'cancelled')
  t.equal(office.letters.size, 0)
})
