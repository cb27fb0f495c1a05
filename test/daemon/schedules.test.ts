import { renameSync } from 'node:fs'
import t from 'tap'
import { alertOf, alertsOf, lettersIn, lettersOf } from '../e2e/files.ts'
import { MINUTE, SECOND, turnedHouse } from './turned.ts'

t.test('a schedule whose recipient is full waits, which is told as long as that lasts, and comes once there is room', async (t) => {
  const house = await turnedHouse(t, {
    'org.yaml': 'name: acme\npostmaster: operator\nlimits: { backlog: 1 }\n',
    'schedules/minutely.md': '---\ncron: "* * * * *"\nto: legal\nkind: note\nsubject: every minute\n---\nthe body\n',
  })
  const first = await house.until('the first', () => lettersOf(house.root, 'legal')[0], 2 * MINUTE)
  t.same(alertsOf(house.root), [], 'one fits in')
  const alert = await house.until('the alert', () => alertOf(house.root, 'workspace-full'), 2 * MINUTE)
  t.equal(alert.head.get('agent'), 'legal')
  t.equal(alert.head.get('fix'), 'penny tasks to:legal')
  for (let n = 0; n < 12; n++) {
    await house.pass(SECOND)
    t.equal(alertOf(house.root, 'workspace-full')?.head.get('first_seen'), alert.head.get('first_seen'), 'the same, open all the time')
  }
  renameSync(first.path, house.at(`workspaces/legal/done/${first.file}`))
  await house.until('the second', () => lettersIn(house.at('workspaces/legal/new'))[0], 30 * SECOND)
  await house.until('the alert is closed', () => !alertOf(house.root, 'workspace-full'), MINUTE - 30 * SECOND)
})
