import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { organisation, PENNY } from './driver.ts'
import { alertsOf, lettersOf, message, pause, sentBy, until } from './files.ts'

const WORK = 'wake: { concurrency: 8, stagger: 0s }\n'

t.test('a runner is started with the message, and what it prints is the reply that closes the task', async (t) => {
  const handle = `#!/bin/sh
cat > stdin.txt
printf '%s\\n' "$PENNY_MESSAGE" "$PENNY_ID" "$PWD" > facts.txt
cat "$PENNY_MESSAGE" > message.txt
echo "for the log" >&2
printf 'Reviewed.\\r\\nNo objections'
`
  const org = await organisation(t, {
    org: WORK,
    agents: { legal: 'runner: { command: [./handle.sh, one] }\n', pmo: '' },
    policies: { 'runners/handle.sh': handle },
  })
  await org.up()
  const drop = org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'Review' }, 'The body\r\nof the task'))
  const done = await until('done', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done' && one.folder === 'done'))
  t.ok(performance.now() - drop.at < 10_000, 'it did not have to be nudged')
  const reply = await until('the reply', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('in_reply_to') === done.id))
  t.match(Object.fromEntries(reply.head), { from: 'legal', kind: 'note', thread: done.id })
  t.equal(reply.body.toString(), 'Reviewed.\r\nNo objections', 'the body is exactly what was printed')
  await until('the mirror', () => sentBy(org.root, 'pmo').find((one) => one.id === done.id && one.head.get('status') === 'done'))
  const home = org.at('workspaces/legal/home')
  const [path, id, cwd] = readFileSync(`${home}/facts.txt`, 'utf8').split('\n')
  t.ok(path?.endsWith(`/cur/${done.file}`), 'PENNY_MESSAGE is the path in cur/')
  t.equal(id, done.id, 'PENNY_ID')
  t.equal(cwd, '/ws/home', 'in home/, as its jail shows it')
  t.ok(readFileSync(`${home}/stdin.txt`).includes('The body\r\nof the task'), 'the message is on standard input')
  t.ok(readFileSync(`${home}/message.txt`).includes('status: in_progress'), 'claimed before the run')
  t.match(
    await until('the log', () => readFileSync(org.at('workspaces/legal/runs', `${done.id}.log`), 'utf8')),
    /for the log[\s\S]*Reviewed|Reviewed[\s\S]*for the log/,
  )
  t.ok(statSync(org.at('workspaces/legal/runs', `${done.id}.log`)).isFile())
  await pause(1000)
  t.equal(lettersOf(org.root, 'pmo').length, 1, 'one reply, nobody thanks')
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
  )
})

t.test('a run gets no descriptor that whoever started the daemon left open', async (t) => {
  const org = await organisation(t, {
    org: WORK,
    agents: { legal: 'runner: { command: [./look.sh] }\n' },
    policies: { 'runners/look.sh': '#!/bin/sh\nls -l /proc/self/fd > fds.txt\n' },
  })
  const secret = org.at('secret.txt')
  writeFileSync(secret, 'x')
  const fd = openSync(secret, 'r')
  const daemon = spawn(process.execPath, [PENNY, 'up', '--root', org.root], { stdio: ['ignore', 'ignore', 'ignore', 'ignore', fd] })
  closeSync(fd)
  t.teardown(() => daemon.kill('SIGKILL'))
  await until('its folders', () => existsSync(org.at('spool/legal')))
  org.drop('spool/legal/task.md', message({ subject: 'Look' }))
  await until('done', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'done'))
  const fds = readFileSync(org.at('workspaces/legal/home/fds.txt'), 'utf8')
  t.match(fds, / 2 -> /)
  t.notMatch(fds, /secret/)
})

t.test('a run that leaves the task blocked is believed: no reply, the output goes to the log', async (t) => {
  const handle = '#!/bin/sh\nsed -i -e "s/^status: .*/status: blocked/" -e "/^status:/a blocked_on: waiting for the bank" "$PENNY_MESSAGE"\necho not a reply\n'
  const org = await organisation(t, {
    org: WORK,
    agents: { legal: 'runner: { command: [./handle.sh] }\n', pmo: '' },
    policies: { 'runners/handle.sh': handle },
  })
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'Review' }))
  const blocked = await until('blocked', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'blocked' && one.folder === 'cur'))
  await until('the log', () => readFileSync(org.at('workspaces/legal/runs', `${blocked.id}.log`), 'utf8').includes('not a reply'))
  await pause(1500)
  t.same(
    lettersOf(org.root, 'pmo').map((one) => one.file),
    [],
  )
  t.equal(
    lettersOf(org.root, 'legal')
      .find((one) => one.id === blocked.id)
      ?.head.get('status'),
    'blocked',
  )
})

t.test('a run may settle by itself, with a status and result or by mv, and its output is the reply', async (t) => {
  const handle = `#!/bin/sh
case $(cat) in
*'subject: fail'*) sed -i -e "s/^status: .*/status: failed/" -e "/^status:/a result: no budget" "$PENNY_MESSAGE"; echo cannot;;
*) mv "$PENNY_MESSAGE" ../done/; echo moved;;
esac
`
  const org = await organisation(t, {
    org: WORK,
    agents: { legal: 'runner: { command: [./handle.sh] }\n', pmo: '' },
    policies: { 'runners/handle.sh': handle },
  })
  await org.up()
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'fail' }))
  org.drop('workspaces/pmo/outbox/b.md', message({ to: 'legal', subject: 'move' }))
  for (const [subject, status, text] of [
    ['fail', 'failed', 'cannot\n'],
    ['move', 'done', 'moved\n'],
  ] as const) {
    const task = await until(subject, () =>
      lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === subject && one.head.get('status') === status && one.folder === 'done'),
    )
    if (status === 'failed') t.equal(task.head.get('result'), 'no budget')
    const reply = await until(`the reply of ${subject}`, () => lettersOf(org.root, 'pmo').find((one) => one.head.get('in_reply_to') === task.id))
    t.equal(reply.body.toString(), text)
  }
})
