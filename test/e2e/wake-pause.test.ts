import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { exists, lettersOf, message, pause, processesFor, until } from './files.ts'

const shape = (handle: string): Parameters<typeof organisation>[1] => ({
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: { legal: 'runner: { command: [./handle.sh], max_attempts: 1 }\n', pmo: '' },
  policies: { 'runners/handle.sh': handle },
})

t.test('while an agent is paused mail is delivered and nothing is run, also after a restart', async (t) => {
  const org = await organisation(t, shape('#!/bin/sh\necho handled\n'))
  await org.up()
  t.equal((await org.penny(['pause', 'legal'])).status, 0)
  org.drop('spool/legal/task.md', message({ subject: 'one' }))
  await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'new'))
  await pause(1500)
  await org.end()
  await org.up()
  await pause(1500)
  t.match(
    lettersOf(org.root, 'legal').map((one) => one.head.get('status')),
    ['open'],
    'nothing was run',
  )
  t.equal((await org.penny(['resume', 'all'])).status, 0)
  await until('done', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
})

t.test('pause --now ends a run; that is no attempt, and the task waits in new/', async (t) => {
  // the first run hangs; the one after resume is done at once
  const org = await organisation(t, shape('#!/bin/sh\necho $$ >> pids.txt\n[ $(wc -l < pids.txt) -gt 1 ] || sleep 600\necho done\n'))
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'one' }))
  const pids = org.at('workspaces/legal/home/pids.txt')
  await until('running', () => exists(pids) && readFileSync(pids, 'utf8').includes('\n'))
  const { id } = lettersOf(org.root, 'legal')[0] ?? { id: '' }
  t.ok(processesFor(id).length > 0)
  t.equal((await org.penny(['pause', 'legal', '--now'])).status, 0)
  t.same(processesFor(id), [], 'when the command returns nothing is left')
  await until('back in new/', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'new' && one.head.get('status') === 'open'))
  t.equal((await org.penny(['resume', 'legal'])).status, 0)
  await until('done, with max_attempts: 1', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
})

t.test('penny down --drain lets a run finish, penny down ends the daemon', async (t) => {
  const org = await organisation(t, shape('#!/bin/sh\necho x > started.txt\nsleep 2\necho finished\n'))
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one' }))
  await until('running', () => exists(org.at('workspaces/legal/home/started.txt')))
  t.equal((await org.penny(['down', '--drain', '1m'])).status, 0)
  await until('the daemon is gone', () => !org.running())
  t.equal(lettersOf(org.root, 'legal')[0]?.head.get('status'), 'done')
  t.equal((await org.penny(['status'])).status, 69)
  t.match(await org.penny(['down']), { status: 69, err: /^no daemon runs on .*: there is nothing to stop\n/ })
  await org.up()
  t.equal((await org.penny(['down'])).status, 0)
  await until('the daemon is gone', () => !org.running())
  await until('the reply, whenever it was placed', () => lettersOf(org.root, 'pmo').length === 1)
})
