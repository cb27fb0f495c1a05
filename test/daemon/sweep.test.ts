import { renameSync, rmSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import { report } from '../crash/house.ts'
import { alertOf, heldFiles, lettersOf, message } from '../e2e/files.ts'
import { fails } from '../journal/ground.ts'
import { MINUTE, SECOND, turnedHouse } from './turned.ts'

t.test('a part of the sweep that fails keeps no other from being done, and is done once it can be', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBad = false
  const list: typeof disk.list = (path) => {
    if (isBad && String(path).endsWith('/spool/held')) fails('EACCES')()
    return disk.list(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, list } })
  house.drop('spool/legal/first-urgent.md', message({ subject: 'first' }))
  house.drop('spool/second.md', message({ to: 'nobody', subject: 'second' }))
  await house.until('its alert', () => alertOf(house.root, 'priority-in-name'))
  await house.until('the alert of the held one', () => alertOf(house.root, 'unknown-recipient'))
  isBad = true
  for (const { path } of heldFiles(house.root)) rmSync(path)
  house.drop('spool/legal/third.md', message({ subject: 'third' }))
  await house.until('new mail', () => lettersOf(house.root, 'legal').some(({ head }) => head.get('subject') === 'third'))
  const seen = alertOf(house.root, 'priority-in-name')?.file ?? ''
  renameSync(house.at(`spool/alerts/${seen}`), house.at(`spool/alerts/done/${seen}`))
  await house.pass(MINUTE, 10 * SECOND)
  isBad = false
  const codes = (await report(house.house())).alerts.map(({ code }) => code)
  t.notOk(codes.includes('priority-in-name'), 'an alert that a person closed is closed')
  t.ok(codes.includes('unknown-recipient'), 'nobody could see that the held one is gone')
  t.match(house.house().logged.join('\n'), /sweep: held/, 'what failed is in the log')
  await house.until('the alert of the held one goes with it', () => !alertOf(house.root, 'unknown-recipient'))
})
