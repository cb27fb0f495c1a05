import { chmodSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { accounting, isTrue, jsonLines, organisation } from './driver.ts'
import { lettersOf, message, until } from './files.ts'

t.test('status is one screen and a true accounting line; --json gives the same words as keys', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/one.md', message({ to: 'legal', cc: 'pmo', subject: 'one' }))
  org.drop('spool/two.md', message({ to: 'nobody' }))
  await until('mail', () => lettersOf(org.root, 'legal')[0] && lettersOf(org.root, 'pmo')[0])
  let line = await accounting(org)
  for (let i = 0; i < 50 && line.drops < 2; i++) line = await accounting(org)
  t.ok(isTrue(line))
  t.match(line, { drops: 2, admitted: 1, held: 1, repeats: 0, copies: 2, open: 1, in_progress: 0, blocked: 0, settled: 0, notes: 1 })
  const text = await org.penny(['status'])
  t.equal(text.status, 0)
  t.match(text.out, /drops\D+2\b[\s\S]*admitted/)
  t.ok(text.out.split('\n').length <= 50, 'one screen')
  t.match(text.out, /system mode|user mode/, 'it says in which mode it runs')
  for (const object of await org.json(['status'])) t.equal(object['schema'], 'penny/status/1')
})

t.test('doctor really tries what it speaks of, and leaves nothing behind', async (t) => {
  const org = await organisation(t)
  await org.up()
  const before = await accounting(org)
  const doctor = await org.penny(['doctor'])
  t.ok([0, 1].includes(doctor.status ?? -1), `doctor ended with ${doctor.status}: ${doctor.err}`)
  for (const subject of [/deliver/i, /lock/i, /rename/i, /lease|probe/i, /clock/i, /permission|mode/i, /node/i, /jail/, /hooks/]) t.match(doctor.out, subject)
  t.match(doctor.out, /ok +lock/, 'really tried')
  t.match(doctor.out, /ok +hooks/, 'a compaction is held up')
  t.match(doctor.out, /went through in \d+ ms: dropped \d+ ms, noticed \d+ ms, delivered \d+ ms/, 'and which step is slow')
  const objects = jsonLines((await org.penny(['doctor', '--json'])).out)
  t.ok(objects.length >= 5)
  for (const object of objects) t.equal(object['schema'], 'penny/doctor/1')
  t.same(await accounting(org), before, 'the accounting line is as it was')
  t.same(
    lettersOf(org.root, 'legal').map((one) => one.file),
    [],
  )
})

t.test('init makes a root that works at once, small or with thirty agents', async (t) => {
  const org = await organisation(t)
  for (const [example, least] of [
    ['small', 1],
    ['thirty', 30],
  ] as const) {
    const dir = `${org.base}/${example}`
    const made = await org.penny(['init', dir, '--example', example])
    t.equal(made.status, 0, made.err)
    const agents = await org.json(['agents', '--root', dir])
    t.ok(agents.length >= least, `${example}: ${agents.length} agents`)
    t.not((await org.penny(['init', dir, '--example', example])).status, 0, 'never over an existing one')
  }
})

t.test('up --detach returns when mail is admitted, down stops it', async (t) => {
  const org = await organisation(t)
  t.teardown(() => org.penny(['down']))
  const up = await org.penny(['up', '--detach'])
  t.equal(up.status, 0, up.err)
  t.equal((await org.penny(['status'])).status, 0)
  org.drop('spool/legal/a.md', message({ subject: 'a' }))
  await until('mail', () => lettersOf(org.root, 'legal')[0])
  t.equal((await org.penny(['down'])).status, 0)
  t.equal((await org.penny(['status'])).status, 69)
})

t.test('doctor looks for the program of each runner, as runs would find it', async (t) => {
  const org = await organisation(t, {
    agents: { legal: 'runner: { command: [./handle.sh] }\n', pmo: 'runner: { command: [cat] }\n' },
    policies: { 'runners/handle.sh': '#!/bin/sh\ncat\n' },
  })
  chmodSync(org.at('policies/runners/handle.sh'), 0o644)
  const programs = async (): Promise<unknown[]> => (await org.json(['doctor'])).filter((one) => one['check'] === 'runners')
  t.match(await programs(), [{ outcome: 'ok' }], 'runs start a copy, which may be executed')
  writeFileSync(org.at('policies/agents/pmo.md'), '---\nrunner: { command: [nosuchprog] }\n---\nYou are pmo.\n')
  t.match(await programs(), [{ outcome: 'wrong', what: /pmo.*no program nosuchprog in PATH/, fix: /policies\/agents\/pmo\.md/ }])
  writeFileSync(org.at('policies/runners/handle.sh'), '#!/nonexistent\n')
  t.match(await programs(), [{ what: /legal cannot be started: .*its interpreter \/nonexistent is missing/, fix: /runners\/handle\.sh$/ }, { what: /pmo/ }])
  writeFileSync(org.at('policies/agents/legal.md'), '---\nrunner: { builtin: anthropic }\n---\nYou are legal.\n')
  writeFileSync(org.at('policies/agents/pmo.md'), '---\nmounts: [{ from: /usr/bin, at: /mine }]\nrunner: { command: [/mine/cat] }\n---\nYou are pmo.\n')
  t.match(await programs(), [{ outcome: 'ok' }], 'one that comes with it, and one that only its jail shows there, are found')
})
