import { existsSync, rmSync } from 'node:fs'
import t from 'tap'
import { alertOf, alertsOf, lettersOf, message } from '../e2e/files.ts'
import { MINUTE, SECOND, turnedHouse } from './turned.ts'

t.test('a draft that nobody writes is pointed out after 5 min and not before, and the alert goes with it', async (t) => {
  const house = await turnedHouse(t)
  house.drop('spool/legal/.half.md', 'not yet')
  house.drop('workspaces/cfo/outbox/half.md.tmp', 'not yet')
  // A sweep finds them within a second of the clock; on from there the pieces may be larger.
  await house.pass(3 * SECOND, SECOND)
  await house.pass(5 * MINUTE - 5 * SECOND, 10 * SECOND)
  t.same(alertsOf(house.root), [], 'not before')
  await house.until('the one in the box', () => alertOf(house.root, 'abandoned-draft', 'spool/legal/.half.md'), 10 * SECOND)
  const draft = await house.until('the one in the outbox', () => alertOf(house.root, 'abandoned-draft', 'half.md.tmp'), 10 * SECOND)
  t.equal(draft.head.get('agent'), 'cfo')
  t.ok(existsSync(house.at('spool/legal/.half.md')), 'it stays where it is')
  rmSync(house.at('spool/legal/.half.md'))
  await house.until('one alert is closed', () => !alertOf(house.root, 'abandoned-draft', '.half.md'), 10 * SECOND)
  t.ok(alertOf(house.root, 'abandoned-draft', 'half.md.tmp'), 'the other is open')
})

t.test('a file in files/ that no message names is pointed out after 10 min and not before; one that is sent for is taken', async (t) => {
  const house = await turnedHouse(t)
  house.drop('spool/legal/files/lonely.pdf', '%PDF')
  house.drop('spool/legal/files/wanted.pdf', '%PDF')
  house.drop('workspaces/cfo/outbox/files/meant.md', 'hello')
  await house.pass(10 * MINUTE - 2 * SECOND, 10 * SECOND)
  t.same(alertsOf(house.root), [], 'not before')
  house.drop('spool/legal/late.md', message({ attach: '[wanted.pdf]' }))
  await house.until('the lonely one', () => alertOf(house.root, 'unmatched-file', 'lonely.pdf'), 2 * MINUTE)
  const meant = await house.until('a message there', () => alertOf(house.root, 'unmatched-file', 'meant.md'))
  t.match(meant.head.get('fix'), 'mv -n workspaces/cfo/outbox/files/meant.md workspaces/cfo/outbox/meant.md', 'its fix throws nothing away')
  rmSync(house.at('workspaces/cfo/outbox/files/meant.md'))
  await house.until('the other was taken', () => !existsSync(house.at('spool/legal/files/wanted.pdf')))
  t.notOk(alertOf(house.root, 'unmatched-file', 'wanted.pdf'))
  rmSync(house.at('spool/legal/files/lonely.pdf'))
  await house.until('the alert is closed', () => alertsOf(house.root).length === 0)
})

t.test('what a message that waits will send along is told of by nobody, wherever it lies, and goes with it', async (t) => {
  const house = await turnedHouse(t, { 'org.yaml': 'name: acme\npostmaster: operator\nlimits: { backlog: 1 }\n' })
  const later = new Date(house.clock.now() + 30 * MINUTE).toISOString()
  house.drop('spool/legal/report.csv', 'a,b')
  house.drop('spool/legal/files/more.csv', 'c,d')
  house.drop('spool/legal/waits.md', message({ subject: 'later', not_before: later, attach: '[report.csv, more.csv]' }))
  house.drop('spool/cfo/first.md', message({ subject: 'first' }))
  await house.until('the first', () => !existsSync(house.at('spool/cfo/first.md')), 10 * SECOND)
  house.drop('spool/cfo/table.csv', 'e,f')
  house.drop('spool/cfo/files/lonely.csv', 'g,h')
  house.drop('spool/cfo/second.md', message({ subject: 'second', attach: 'table.csv' }))
  await house.pass(20 * MINUTE, 5 * SECOND)
  t.same(
    alertsOf(house.root).map(({ head }) => `${head.get('code')} ${head.get('about')}`),
    ['unmatched-file spool/cfo/files/lonely.csv', 'workspace-full workspaces/cfo'],
  )
  await house.until('it is sent', () => lettersOf(house.root, 'legal')[0], 15 * MINUTE)
  t.same([existsSync(house.at('spool/legal/report.csv')), existsSync(house.at('spool/legal/files/more.csv'))], [false, false])
  t.notOk(alertOf(house.root, 'unmatched-file', 'spool/legal'))
})
