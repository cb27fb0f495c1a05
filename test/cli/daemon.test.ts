import { rmSync } from 'node:fs'
import t from 'tap'
import { findDaemon } from '../../src/cli/client.ts'
import { idOf, objects, organisation, penny, write } from './called.ts'
import { listen } from './spoken.ts'

const REPORT = {
  organisation: 'acme',
  root: '/r',
  pid: 2 ** 22,
  version: '0.1.0',
  mode: 'user',
  started: '2026-11-21T08:00:00.000Z',
  completeness: 'lease',
  ready: true,
  agents: 2,
  people: 1,
  running: [],
  paused: [],
  not_walled: ['legal'],
  no_jail: ['legal'],
  full_network: [],
  unclaimed: [{ priority: 'urgent', count: 1, oldest_ms: 61_000 }],
  alerts: [{ code: 'stuck-new', about: 'legal', file: 'stuck-new.legal.md', count: 3 }],
  held: 1,
  waiting_drops: 0,
  config: { digest: 'x', invalid: false },
  accounting: {
    drops: 3,
    admitted: 2,
    held: 1,
    repeats: 0,
    copies: 4,
    open: 1,
    in_progress: 1,
    blocked: 0,
    settled: 1,
    notes: 1,
    bounces: 0,
    alerts: 0,
    canaries: 0,
  },
}

t.test("status shows the daemon's report; --json has the words of the accounting line; --check says when alerts are open", async (t) => {
  const root = organisation(t)
  await listen(t, root, () => [{ end: true, ok: true, report: REPORT }])
  const screen = await penny(['status', '--root', root])
  t.equal(screen.status, 0)
  t.match(screen.out, /drops +3 = admitted 2 \+ held 1 \+ repeats 0\n/)
  t.match(screen.out, /stuck-new/)
  t.match(screen.out, `penny alerts --root ${root}`, 'its file is not there to be shown')
  t.equal((await penny(['status', '--check', '--root', root])).status, 1)
  t.match(objects((await penny(['status', '--json', '--root', root])).out), [
    {
      schema: 'penny/status/1',
      drops: 3,
      admitted: 2,
      held: 1,
      repeats: 0,
      copies: 4,
      open: 1,
      in_progress: 1,
      blocked: 0,
      settled: 1,
      notes: 1,
      held_files: 1,
    },
  ])
})

t.test('every command that a screen names means the organisation that --root named', async (t) => {
  const root = organisation(t)
  const alerts = Array.from({ length: 13 }, (_, index) => ({ code: 'overdue', about: 'legal', file: `overdue.${index}.md`, count: 1 }))
  const report = { ...REPORT, alerts, paused: ['legal'], config: { digest: 'x', invalid: true } }
  await listen(t, root, ({ verb }) => (verb === 'wait' ? 'hang up' : [{ end: true, ok: true, report, ms: 1 }]))
  write(`${root}/spool/alerts/overdue.legal.md`, '---\ncode: overdue\nfix: penny tasks overdue\n---\n# x\n\nLate.\n')
  const started = { v: 1, at: new Date().toISOString(), event: 'daemon', state: 'started', what: '' }
  const done = { ...started, event: 'status', id: idOf('aaaa1111'), holder: 'legal', was: 'open', status: 'done', folder: 'done', by: 'legal', updated: '' }
  write(`${root}/.penny/journal/00000001-20261121T080000Z.jsonl`, `${JSON.stringify(started)}\n${JSON.stringify(done)}\n`)
  const screens: readonly (readonly [named: number, ...args: string[]])[] = [
    [16, 'status'],
    [2, 'alerts'],
    [3, 'report'],
    [2, 'send', 'legal', '-m', 'x'],
  ]
  for (const [named, ...args] of screens) {
    const { out, err } = await penny([...args, '--root', root])
    const lines = `${out}${err}`.split('\n')
    const commands = lines.flatMap((line) => (line.includes(`cd ${root} && penny `) ? ['--root '] : (line.match(/\bpenny [a-z]+( --root )?/g) ?? [])))
    t.equal(commands.length, named, `${args[0]} names commands:\n${out}${err}`)
    for (const command of commands) t.match(command, / --root $|^--root /, `${args[0]}: ${command}`)
  }
})

t.test('until every message is known status is 75', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => [{ end: true, ok: true, report: { ...REPORT, ready: false } }])
  t.equal((await penny(['status', '--root', root])).status, 75)
})

t.test('a refusal of the daemon is shown with its own exit status and fix', async (t) => {
  const root = organisation(t)
  const asked = await listen(t, root, ({ verb }) =>
    verb === 'find' ? [{ end: true, ok: true, ids: [idOf('aaaa1111')] }] : [{ end: true, ok: false, exit: 77, error: 'not so', fix: 'penny show x' }],
  )
  const { status, err } = await penny(['set', '1111', 'priority=high', '--root', root])
  t.equal(status, 77)
  t.match(err, /not so\n +fix: penny show --root \S+ x/)
  t.match(asked.at(-1), { verb: 'set', id: idOf('aaaa1111'), priority: 'high' })
})

t.test('a daemon that goes away in the middle is 69, not a crash', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => 'hang up')
  t.equal((await penny(['status', '--root', root])).status, 69)
})

t.test('a root whose socket path is longer than 108 bytes is reached all the same', async (t) => {
  const deep = `${organisation(t)}/${'d'.repeat(120)}`
  write(`${deep}/policies/org.yaml`, 'name: deep\npostmaster: operator\n')
  await listen(t, deep, () => [{ end: true, ok: true, report: REPORT }])
  t.equal((await penny(['status', '--root', deep])).status, 0)
})

t.test('with the daemon up an operator settles through it, and tasks come from it', async (t) => {
  const root = organisation(t)
  const id = idOf('aaaa1111')
  const row = {
    id,
    holder: 'legal',
    from: 'pmo',
    to: 'legal',
    kind: 'task',
    status: 'open',
    folder: 'new',
    priority: 'normal',
    rank: 3,
    subject: 'From the daemon',
    created: '2026-11-21T08:00:00Z',
    updated: '',
    thread: id,
    path: '/x',
  }
  const asked = await listen(t, root, ({ verb }) => {
    if (verb === 'tasks') return [row, { ...row, status: null }, { end: true, ok: true }]
    return [{ end: true, ok: true, ids: [id], id, status: 'done' }]
  })
  const rows = objects((await penny(['tasks', '--json', '--root', root])).out)
  t.match(rows, [{ id, subject: 'From the daemon' }])
  t.equal(rows.length, 1)
  t.equal((await penny(['settle', '1111', 'done', '-m', 'ok', '--root', root])).status, 0)
  t.match(asked.at(-1), { verb: 'change', id, to: 'done', result: 'ok' })
})

t.test('status names the command that lets those that are paused run again', async (t) => {
  for (const [paused, command] of [
    [['legal'], 'penny resume legal'],
    [['legal', 'pmo'], 'penny resume all'],
  ] as const) {
    const root = organisation(t, t.testdir())
    await listen(t, root, () => [{ end: true, ok: true, report: { ...REPORT, paused } }])
    t.match((await penny(['status'], { cwd: root })).out, new RegExp(`paused +${paused.join(' ')} +${command}\\n`))
  }
})

t.test('status and doctor tell of notify commands that fail, with the command as the daemon starts it', async (t) => {
  const root = organisation(t)
  const failing = { command: ['mail', '-s', 'an alert', 'me'], why: 'exit 127: mail: not found', at: '2026-11-21T08:00:00.000Z' }
  const report = { ...REPORT, mode: 'system', alerts: [], held: 0, notify_failing: [failing] }
  await listen(t, root, () => [{ end: true, ok: true, report, ms: 1, steps: [] }])
  const { out } = await penny(['status'], { cwd: root })
  t.match(
    out,
    /needs you:\n {2}! a command of notify: fails.* mail: exit 127: mail: not found .*\(cd \/ && echo test \| sudo -u nobody mail -s 'an alert' me\)\n/,
  )
  const findings = objects((await penny(['doctor', '--json'], { cwd: root })).out)
  t.match(
    findings.filter(({ check }) => check === 'notify'),
    [{ outcome: 'wrong', what: /exit 127/, fix: "(cd / && echo test | sudo -u nobody mail -s 'an alert' me)" }],
  )
})

t.test('a daemon that goes away between two questions is one that does not run (69)', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => 'hang up')
  const daemon = await findDaemon(root)
  rmSync(`${root}/.penny/run/daemon.sock`)
  await t.rejects(async () => daemon?.ask({ verb: 'status' }), { exit: 69, message: 'the daemon went away before it answered' })
})
