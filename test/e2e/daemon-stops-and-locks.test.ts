import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertsOf, filesIn, lettersOf, message, until } from './files.ts'

t.test('a second daemon on the same root is refused with the pid of the first', async (t) => {
  const org = await organisation(t)
  const first = org.launch()
  await until('the first', () => org.log() !== '' || org.running())
  for (let tries = 0; (await org.penny(['status'])).status !== 0 && tries < 100; tries++);
  const second = await org.penny(['up', '--root', org.root], { boundMs: 10_000 })
  t.equal(second.status, 75)
  t.match(second.err, new RegExp(`\\b${first.pid}\\b`), 'it names the pid')
  t.ok(org.running(), 'the first runs on')
  await org.end('SIGKILL')
  await org.up()
  t.pass('a killed one leaves no lock behind')
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

t.test('a daemon that cannot get through its start ends and says why, rather than being half up for ever', async (t) => {
  const org = await organisation(t)
  await org.up()
  await org.end()
  const odd = org.at('.penny/runs/tally-01920000-0000-7000-8000-000000000001.json')
  mkdirSync(odd)
  const refused = await org.penny(['up', '--root', org.root], { boundMs: 20_000 })
  t.equal(refused.status, 70)
  t.match(refused.err, /^penny: .*EISDIR.*\nfix: penny doctor/m)
  rmdirSync(odd)
  await org.up()
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
