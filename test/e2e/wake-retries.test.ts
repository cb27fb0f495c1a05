import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, filesIn, lettersOf, message, processesFor, until } from './files.ts'

const WORK = 'wake: { concurrency: 8, stagger: 0s }\n'

t.test(
  'exit 75 is tried again, first within 2 s; other ends are attempts, and after max_attempts the task has failed, with a bounce and an alert',
  async (t) => {
    const again = '#!/bin/sh\ndate +%s%3N >> tries.txt\n[ $(wc -l < tries.txt) -ge 3 ] || exit 75\necho third time\n'
    const broken = '#!/bin/sh\necho x >> tries.txt\necho it hurts >&2\nexit 3\n'
    const killed = '#!/bin/sh\necho x >> tries.txt\nkill -9 $$\n'
    const slow = '#!/bin/sh\necho x >> tries.txt\nsleep 600 &\nwait\n'
    const org = await organisation(t, {
      org: WORK,
      agents: {
        again: 'runner: { command: [./again.sh] }\n',
        broken: 'runner: { command: [./broken.sh], max_attempts: 2 }\n',
        killed: 'runner: { command: [./killed.sh], max_attempts: 1 }\n',
        slow: 'runner: { command: [./slow.sh], max_attempts: 1, timeout: 2s }\n',
        absent: 'runner: { command: [/nonexistent/program], max_attempts: 1 }\n',
        ghost: 'runner: { command: [./ghost.sh], max_attempts: 1 }\n',
        pmo: '',
      },
      policies: {
        'runners/again.sh': again,
        'runners/broken.sh': broken,
        'runners/killed.sh': killed,
        'runners/slow.sh': slow,
        'runners/ghost.sh': '#!/nonexistent/sh\n',
      },
    })
    await org.up()
    const failing = { broken: 2, killed: 1, slow: 1, absent: 0, ghost: 0 }
    for (const name of ['again', ...Object.keys(failing)]) org.drop(`workspaces/pmo/outbox/${name}.md`, message({ to: name, subject: `for ${name}` }))
    const lines = (name: string): string[] =>
      filesIn(org.at('workspaces', name, 'home')).includes('tries.txt')
        ? readFileSync(org.at('workspaces', name, 'home/tries.txt'), 'utf8')
            .trim()
            .split('\n')
        : []

    const done = await until('done at the third try', () => lettersOf(org.root, 'again').find((one) => one.head.get('status') === 'done'), 60_000)
    const tries = lines('again').map(Number)
    t.equal(tries.length, 3)
    // the first delay is at most 2 s; + 1 s for a loaded machine
    t.ok((tries[1] ?? 0) - (tries[0] ?? 0) < 3000, `again after ${(tries[1] ?? 0) - (tries[0] ?? 0)} ms`)
    const replies = await until('its reply', () => {
      const all = lettersOf(org.root, 'pmo').filter((one) => one.head.get('in_reply_to') === done.id)
      return all.length > 0 && all
    })
    t.equal(replies.length, 1, 'one reply')

    for (const [name, attempts] of Object.entries(failing)) {
      const task = await until(
        `${name}: failed`,
        () => lettersOf(org.root, name).find((one) => one.head.get('status') === 'failed' && one.folder === 'done'),
        60_000,
      )
      t.equal(lines(name).length, attempts, `${name}: ${attempts} attempts`)
      const bounce = await until(`${name}: a bounce to the sender`, () =>
        lettersOf(org.root, 'pmo').find((one) => one.head.get('kind') === 'bounce' && one.raw.includes(task.id)),
      )
      t.equal(bounce.head.get('from'), 'pennypost')
      const alert = await until(`${name}: run-failed`, () => alertOf(org.root, 'run-failed', task.id))
      t.equal(alert.head.get('agent'), name)
      const runLog = `workspaces/${name}/runs/${task.id}.log`
      const why = {
        broken: 'exit 3: it hurts',
        killed: 'killed by SIGKILL',
        slow: 'not ended after 2s',
        absent: 'there is no program /nonexistent/program',
        ghost: 'its interpreter /nonexistent/sh is missing',
      }[name]
      for (const told of [alert.text, (await org.penny(['show', task.id])).out]) {
        t.match(told, why, `${name}: why it failed`)
        t.match(told, runLog, `${name}: where to read more`)
      }
      const log = await org.penny(['log', task.id])
      t.match(log.out, `${runLog}${name === 'broken' ? ' ends: it hurts' : ''}`)
    }
    t.same(processesFor(lettersOf(org.root, 'slow')[0]?.id ?? ''), [], 'the timed-out run left no child')
    t.match(readFileSync(org.at('workspaces/broken/runs', `${lettersOf(org.root, 'broken')[0]?.id}.log`), 'utf8'), /it hurts/)
  },
)
