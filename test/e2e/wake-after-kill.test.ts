import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { exists, lettersOf, message, processesFor, until } from './files.ts'

t.test('the run of a killed daemon dies with it, its claim is returned, and the task is done by a run of the next', async (t) => {
  const handle = `#!/bin/sh
echo $$ >> pids.txt
if [ $(wc -l < pids.txt) -eq 1 ]; then (trap '' TERM; while :; do date +%s%3N > beat.txt; sleep 0.05; done) & wait; fi
# the earlier run's loop must be silent by now
a=$(cat beat.txt); sleep 0.5; b=$(cat beat.txt); [ "$a" = "$b" ] && echo alone || echo together
`
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { legal: 'runner: { command: [./handle.sh], max_attempts: 3 }\n', pmo: '' },
    policies: { 'runners/handle.sh': handle },
  })
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one' }))
  const home = org.at('workspaces/legal/home')
  await until('running', () => exists(`${home}/beat.txt`))
  const { id } = lettersOf(org.root, 'legal')[0] ?? { id: '' }
  t.ok(processesFor(id).length > 2, 'the run, its jail and its child')
  await org.end('SIGKILL')
  await until('its jail ends with the daemon', () => processesFor(id).length === 0)
  await org.up()
  const done = await until('done', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
  const reply = await until('the reply', () => lettersOf(org.root, 'pmo')[0])
  t.equal(reply.body.toString(), 'alone\n', 'never two runs at once')
  t.equal(readFileSync(`${home}/pids.txt`, 'utf8').trim().split('\n').length, 2, 'two runs')
  t.equal(lettersOf(org.root, 'pmo').length, 1, 'one reply')
  t.equal(done.head.get('status'), 'done')
})

t.test('when the daemon is stopped its runs end with it, and that is no attempt', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { legal: 'runner: { command: [./handle.sh], max_attempts: 1 }\n', pmo: '' },
    policies: { 'runners/handle.sh': '#!/bin/sh\necho $$ >> pids.txt\n[ $(wc -l < pids.txt) -gt 1 ] || sleep 600\n' },
  })
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'one' }))
  const pids = org.at('workspaces/legal/home/pids.txt')
  await until('running', () => exists(pids) && readFileSync(pids, 'utf8').includes('\n'))
  const { id } = lettersOf(org.root, 'legal')[0] ?? { id: '' }
  t.ok(processesFor(id).length > 0)
  const ended = await org.end()
  t.equal(ended.status, 0, 'a clean end')
  t.ok(ended.ms < 3000, 'within 2 s (+ 1 s for a loaded machine)')
  t.same(processesFor(id), [], 'no survivor')
  await org.up()
  await until('done, with max_attempts: 1', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
})
