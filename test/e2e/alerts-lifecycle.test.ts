import { chmodSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertOf, alertsOf, exists, lettersOf, message, until } from './files.ts'

t.test('an event is counted instead of repeated, and closed by mv or by command; --check tells whether any is open', async (t) => {
  const org = await organisation(t)
  await org.up()
  t.equal((await org.penny(['status', '--check'])).status, 0, 'no alert is open')
  org.drop('spool/one-P1.md', message({ to: 'legal' }))
  org.drop('spool/two-P1.md', message({ to: 'legal' }))
  org.drop('spool/three-P1.md', message({ to: 'legal' }))
  const one = await until('one', () => alertOf(org.root, 'priority-in-name', 'one-P1.md'))
  const two = await until('two', () => alertOf(org.root, 'priority-in-name', 'two-P1.md'))
  await until('three', () => alertOf(org.root, 'priority-in-name', 'three-P1.md'))
  t.equal((await org.penny(['status', '--check'])).status, 1, 'alerts are open')
  t.equal((await org.penny(['status'])).status, 0, 'without --check the daemon is what counts')
  renameSync(one.path, org.at('spool/alerts/done', one.file))
  t.equal((await org.penny(['alerts', 'done', two.file.replace(/\.md$/, '')])).status, 0)
  await until('two is closed', () => !exists(two.path))
  t.ok(exists(org.at('spool/alerts/done', two.file)), 'in alerts/done')
  t.equal(alertsOf(org.root).length, 1)
  t.equal((await org.penny(['alerts', 'done', 'all'])).status, 0)
  await until('all closed', () => alertsOf(org.root).length === 0)
  t.equal((await org.penny(['status', '--check'])).status, 0)
  t.equal((await org.penny(['alerts', 'done', 'no-such-alert'])).status, 66, 'no such thing')
  // closed is closed: the daemon does not raise it again for the same fact
  await org.end()
  await org.up()
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'also after a restart',
  )
})

t.test('above twenty open alerts of one code for one agent, one alert counts them', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (let i = 0; i < 40; i++) org.drop(`workspaces/pmo/outbox/wrong-${i}.md`, message({ to: `nobody-${i}` }))
  let line = await accounting(org)
  for (let i = 0; i < 100 && line.held < 40; i++) line = await accounting(org)
  t.ok(isTrue(line) && line.held === 40, JSON.stringify(line))
  const ofCode = (): ReturnType<typeof alertsOf> => alertsOf(org.root).filter((alert) => alert.code === 'unknown-recipient')
  // counts may reach the file a little later than the alert itself
  const counting = await until('one that counts the others', () => ofCode().find((alert) => Number(alert.head.get('count')) >= 20))
  t.equal(counting.head.get('agent'), 'pmo')
  t.equal(ofCode().length, 21, 'twenty and the one that counts')
})

t.test('org.yaml notify: commands get each new alert on standard input', async (t) => {
  // anybody may write there: in system mode the command runs as an unprivileged user
  const folder = mkdtempSync(join(tmpdir(), 'penny-notify-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o777)
  const org = await organisation(t, { org: `notify: [[/bin/sh, -c, 'cat > "$0/$$"', ${folder}]]\n` })
  await org.up()
  org.drop('spool/one-P1.md', message({ to: 'legal' }))
  const notified = await until('a notification', () =>
    readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .find((text) => text.includes('priority-in-name')),
  )
  t.match(notified, /one-P1\.md/)
})

t.test("a person's notify: commands get each urgent message that comes for it, and no other", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'penny-notify-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o777)
  const policies = { 'priorities.yaml': 'red: { claim_within: 5m, finish_within: 1h }\ngreen: { claim_within: 4h, finish_within: 3d }\n' }
  const org = await organisation(t, { people: { operator: `notify: [[/bin/sh, -c, 'cat > "$0/$$"', ${folder}]]\n`, anna: 'user: "4242"\n' }, policies })
  await org.up()
  const told = (): string[] => readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  for (const [name, head] of Object.entries({
    green: { to: 'operator', priority: 'green' },
    usual: { to: 'operator' },
    anna: { to: 'anna', priority: 'red' },
    legal: { to: 'legal', priority: 'red' },
  }))
    org.drop(`spool/${name}.md`, message({ subject: name, ...head }))
  await until('these', () => ['operator', 'anna', 'legal'].flatMap((holder) => lettersOf(org.root, holder)).length === 4)
  org.drop('workspaces/pmo/outbox/urgent.md', message({ to: 'operator', subject: 'the house burns', priority: 'red' }, 'Come.\n'))
  await until('a call', () => told().find((text) => text.endsWith('Come.\n')))
  t.match(told(), [/^from: pmo$/m], 'with the facts of the daemon')
  t.equal(told().length, 1)
})

t.test('a priority in a name: setting one closes the alert; where it is the one already, there is nothing to set', async (t) => {
  const org = await organisation(t, {
    policies: {
      'priorities.yaml': 'urgent: { claim_within: 5m, finish_within: 1h }\nnormal: { claim_within: 4h, finish_within: 3d }\naliases: { P1: urgent }\n',
    },
  })
  await org.up()
  org.drop('spool/other-P1.md', message({ to: 'legal' }))
  const other = await until('raised', () => alertOf(org.root, 'priority-in-name', 'other-P1.md'))
  const [letter] = lettersOf(org.root, 'legal')
  t.equal(other.head.get('fix'), `penny set ${letter?.id} priority=urgent`)
  t.equal((await org.penny(['set', letter?.id ?? '', 'priority=urgent'])).status, 0)
  await until('closed', () => !exists(other.path))
  // What a foreign word means is not certain: that it is the same is told, with nothing to set.
  org.drop('spool/same-asap.md', message({ to: 'legal', priority: 'urgent' }))
  const same = await until('raised', () => alertOf(org.root, 'priority-in-name', 'same-asap.md'))
  const [command = ''] = (same.head.get('fix') ?? '').split('   #')
  t.equal(command, `penny alerts done ${same.file.replace(/\.md$/, '')}`)
  t.equal((await org.penny(command.split(' ').slice(1))).status, 0)
  await until('closed', () => !exists(same.path))
})
