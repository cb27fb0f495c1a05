import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { accounting, isTrue, type Organisation, organisation, PENNY } from './driver.ts'
import { alertOf, alertsOf, exists, filesIn, lettersOf, message, pause, until } from './files.ts'

t.test('a second daemon on the same root is refused with the pid of the first', async (t) => {
  const org = await organisation(t)
  const first = org.launch()
  await until('the first', () => org.log() !== '' || org.running())
  for (let tries = 0; (await org.penny(['status'])).status !== 0 && tries < 100; tries++);
  const second = await org.penny(['up', '--root', org.root], { boundMs: 10_000 })
  t.equal(second.status, 75)
  t.match(second.err, new RegExp(`\\b${first.pid}\\b`), 'it names the pid')
  t.ok(org.running(), 'the first runs on')
  org.drop('spool/legal/task.md', message({ subject: 'after the second' }))
  await until('its mail goes on', () => lettersOf(org.root, 'legal')[0])
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === 1 && line.copies === 1, JSON.stringify(line))
  await org.end('SIGKILL')
  await org.up()
  t.pass('a killed one leaves no lock behind')
})

t.test('a daemon whose log nobody reads any more goes on', async (t) => {
  const org = await organisation(t)
  const child = spawn(process.execPath, [PENNY, 'up', '--root', org.root], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stderr, 'data')
  child.stdout.destroy()
  child.stderr.destroy()
  for (const name of ['one', 'two']) {
    org.drop(`spool/${name}.txt`, 'told of in the log')
    await until(`the alert of ${name}`, () => alertOf(org.root, 'unmatched-file', name))
  }
  org.drop('spool/legal/task.md', message({ subject: 'after the reader' }))
  await until('its mail goes on', () => lettersOf(org.root, 'legal')[0])
  t.equal(child.exitCode, null)
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
})

t.test('SIGTERM under load ends the daemon within 2 s with nothing half-done', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', cfo: '' } })
  await org.up()
  const count = 3000
  const text = (i: number): string => message({ to: ['legal', 'cfo'][i % 2] ?? '', subject: `load ${i}` }, `body ${i}\n`.repeat(60))
  for (let i = 0; i < count; i++) org.drop(i % 3 ? `spool/load-${i}.md` : `workspaces/pmo/outbox/load-${i}.md`, text(i))
  await until('some are delivered', () => lettersOf(org.root, 'legal').length > 20)
  const ended = await org.end('SIGTERM')
  t.equal(ended.status, 0, 'a clean end')
  // 2 s; + 1 s for a loaded machine
  t.ok(ended.ms < 3000, `ended after ${Math.round(ended.ms)} ms`)
  const undelivered = filesIn(org.at('spool')).length + filesIn(org.at('workspaces/pmo/outbox')).length
  const delivered = lettersOf(org.root, 'legal').length + lettersOf(org.root, 'cfo').length
  t.comment(`${delivered} delivered, ${undelivered} waiting when it ended`)
  t.ok(delivered + undelivered >= count, 'everything is in one place or the other')
  await org.up()
  const all = await until(
    'everything',
    () => {
      const found = [...lettersOf(org.root, 'legal'), ...lettersOf(org.root, 'cfo')]
      return found.length >= count && found
    },
    60_000,
  )
  t.equal(all.length, count)
  t.equal(new Set(all.map((one) => one.head.get('subject'))).size, count, 'each once')
  t.same(
    alertsOf(org.root)
      .map((alert) => alert.code)
      .filter((code) => code !== 'canary-late'),
    [],
  )
  await until('no drops are left', () => filesIn(org.at('spool')).length === 0)
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === count && line.copies === count, JSON.stringify(line))
})

const SLOW_RUN = {
  agents: { legal: 'runner: { command: [./slow.sh] }\n', pmo: '' },
  policies: { 'runners/slow.sh': '#!/bin/sh\nexec sleep 600\n' },
}
const isStopped = async (org: Organisation): Promise<boolean> =>
  (await org.json(['events'])).some((entry) => entry['event'] === 'daemon' && entry['state'] === 'stopped')

t.test('SIGTERM ends within 2 s also a daemon that lets its runs finish, and the task of a run is not lost', async (t) => {
  const org = await organisation(t, SLOW_RUN)
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'takes ten minutes' }))
  await until('it runs', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'cur'))
  const down = org.penny(['down', '--drain', '10m'])
  await until('it drains', () => org.log().includes('"stopping"'))
  await pause(300)
  t.ok(org.running(), 'the run may go on')
  const ended = await org.end('SIGTERM')
  t.equal(ended.status, 0, 'a clean end')
  // 2 s; + 1 s for a loaded machine
  t.ok(ended.ms < 3000, `ended after ${Math.round(ended.ms)} ms`)
  t.equal((await down).status, 0)
  t.ok(await isStopped(org), 'in order')
  t.match(
    lettersOf(org.root, 'legal').map(({ folder }) => folder),
    ['new'],
  )
})

t.test('penny down without a drain cuts a drain that is under way', async (t) => {
  const org = await organisation(t, SLOW_RUN)
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'takes ten minutes' }))
  await until('it runs', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'cur'))
  const drained = org.penny(['down', '--drain', '10m'])
  await until('it drains', () => org.log().includes('"stopping"'))
  t.equal((await org.penny(['down'], { boundMs: 15_000 })).status, 0)
  t.equal((await drained).status, 0)
})

t.test('a second signal ends it at once, and the next daemon makes it right', async (t) => {
  const org = await organisation(t, SLOW_RUN)
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'takes ten minutes' }))
  await until('it runs', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'cur'))
  // Held for a moment, so that it finds both waiting.
  process.kill(org.pid(), 'SIGSTOP')
  process.kill(org.pid(), 'SIGTERM')
  process.kill(org.pid(), 'SIGINT')
  const ended = await org.end('SIGCONT')
  t.equal(ended.status, 0)
  t.notOk(await isStopped(org), 'it did not take the time to stop in order')
  await org.up()
  const runs = async (): Promise<number> => (await org.json(['events'])).filter((entry) => entry['event'] === 'run-started').length
  for (let tries = 0; (await runs()) < 2 && tries < 100; tries++) await pause(50)
  t.equal(await runs(), 2, 'it runs again')
})

t.test('SIGHUP makes a daemon look at its policies; a terminal that closes ends it in order', async (t) => {
  const org = await organisation(t, {
    agents: { legal: '', pmo: 'runner: { command: [./stubborn.sh] }\n' },
    policies: { 'runners/stubborn.sh': '#!/bin/sh\ntrap "" TERM\n: > deaf\nexec sleep 600\n' },
  })
  const starting = org.up()
  await until('it begins', () => exists(org.at('.penny')))
  await until('one that is about to start keeps it in mind', () => {
    process.kill(org.pid(), 'SIGHUP')
    return org.log().includes('"SIGHUP: looking at policies/"')
  })
  await starting
  writeFileSync(org.at('policies/agents/legal.md'), '---\ntitel: typo\n---\n')
  await until('the alert', () => alertOf(org.root, 'config-invalid'))
  t.equal((await org.penny(['alerts', 'done', 'all'])).status, 0)
  process.kill(org.pid(), 'SIGHUP')
  await until('it is told again', () => alertOf(org.root, 'config-invalid'))
  writeFileSync(org.at('policies/agents/legal.md'), '---\ntitle: Legal\n---\nYou are legal.\n')
  await until('it is mended', () => !alertOf(org.root, 'config-invalid'))
  t.equal((await org.end()).status, 0)

  const terminal = spawn('script', ['-qec', `exec '${process.execPath}' '${PENNY}' up --root '${org.root}'`, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  t.teardown(() => terminal.kill('SIGKILL'))
  const status = async (): Promise<number | null> => (await org.penny(['status'])).status
  for (let tries = 0; (await status()) !== 0 && tries < 100; tries++) await pause(50)
  org.drop('spool/pmo/task.md', message({ subject: 'is not ended at once' }))
  await until('it runs', () => exists(org.at('workspaces/pmo/home/deaf')))
  const [report] = await org.json(['status'])
  // A shell tells its jobs that the terminal closes, and then the kernel does.
  process.kill(Number(report?.['pid']), 'SIGHUP')
  await pause(50)
  terminal.kill('SIGKILL')
  for (let tries = 0; (await status()) !== 69 && tries < 100; tries++) await pause(50)
  t.equal((await org.json(['events'])).filter((entry) => entry['event'] === 'daemon' && entry['state'] === 'stopped').length, 2, 'in order')
})

t.test('a daemon that runs has loaded what it needs: its program may be taken away, as an upgrade does', async (t) => {
  const org = await organisation(t, { agents: { legal: 'runner: { command: [cat] }\n', pmo: '' } })
  const program = org.at('../program')
  mkdirSync(program)
  for (const part of ['dist', 'package.json']) cpSync(join(dirname(PENNY), '../..', part), join(program, part), { recursive: true })
  symlinkSync(join(dirname(PENNY), '../../node_modules'), join(program, 'node_modules'))
  const child = spawn(process.execPath, [join(program, 'dist/cli/penny.js'), 'up', '--root', org.root], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  for (let tries = 0; (await org.penny(['status'])).status !== 0 && tries < 100; tries++) await pause(50)
  renameSync(program, `${program}.gone`)
  writeFileSync(org.at('policies/agents/cfo.md'), '---\ntitle: CFO\n---\nYou are the CFO.\n')
  await until('a new agent', () => exists(org.at('workspaces/cfo/new')))
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'to be run', ref: 'one' }), org.owner('pmo'))
  await until('a run and its reply', () => lettersOf(org.root, 'pmo').find(({ head }) => head.get('from') === 'legal'))
  org.drop('spool/typo.md', '---\nto: lgal\nsubject: "x\n---\n')
  await until('an alert', () => alertOf(org.root, 'bad-front-matter'))
  t.equal((await org.penny(['send', 'pmo', '--ref', 'two', '-s', 'Still here'], { input: 'x' })).status, 0)
  t.equal((await org.penny(['set', 'two', 'priority=urgent'])).status, 0)
  t.equal((await org.penny(['down'])).status, 0)
  t.same(await ended, [0, null])
})

t.test('what cannot be read at a start is told, and keeps nothing else from it', async (t) => {
  const org = await organisation(t)
  await org.up()
  await org.end()
  mkdirSync(org.at('.penny/runs/tally-01920000-0000-7000-8000-000000000001.json'))
  await org.up()
  await until('the alert', () => alertsOf(org.root).find(({ text }) => text.includes('EISDIR')))
  org.drop('spool/legal/task.md', message({ subject: 'all the same' }))
  await until('it arrives', () => lettersOf(org.root, 'legal')[0])
})

t.test('a root of a newer format is refused with 78, and so is a configuration that makes no sense', async (t) => {
  const org = await organisation(t)
  await org.up()
  await org.end()
  writeFileSync(org.at('.penny/format'), '999\n')
  t.equal((await org.penny(['up', '--root', org.root], { boundMs: 15_000 })).status, 78)
  const other = await organisation(t, { agents: { legal: 'titel: typo\n' } })
  const refused = await other.penny(['up', '--root', other.root], { boundMs: 15_000 })
  t.equal(refused.status, 78)
  t.match(refused.err, /legal\.md:\d+/, 'with file and line')
  t.match(refused.err, /title/, 'and the nearest key')
})

t.test('names are one space: an agent and a group cannot share it', async (t) => {
  const org = await organisation(t, { policies: { 'groups/legal.yaml': 'members: [pmo]\n' } })
  t.equal((await org.penny(['up', '--root', org.root], { boundMs: 15_000 })).status, 78)
})
