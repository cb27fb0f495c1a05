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
  const entries: typeof disk.entries = (path) => {
    if (isBad && String(path).endsWith('/spool/held')) fails('EACCES')()
    return disk.entries(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, entries } })
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

t.test('a folder of held files that cannot be listed is told of, by the status too, which answers all the same', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBad = false
  const entries: typeof disk.entries = (path) => {
    if (isBad && String(path).endsWith('/spool/held')) fails('EIO')()
    return disk.entries(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, entries } })
  house.drop('spool/second.md', message({ to: 'nobody', subject: 'second' }))
  await house.until('the alert of the held one', () => alertOf(house.root, 'unknown-recipient'))
  // What was listed a moment ago may have changed since, and is listed again.
  await house.pass(3 * SECOND, SECOND)
  t.equal((await report(house.house())).held, 1)
  isBad = true
  const broken = await report(house.house())
  t.equal(broken.held, 1, 'as many as there were')
  t.match(
    broken.alerts.map(({ code, about }) => `${code} ${about}`),
    ['unknown-recipient spool/second.md', 'unreadable-file spool/held'],
  )
  const alert = alertOf(house.root, 'unreadable-file', 'spool/held')
  t.match(alert?.text, /cannot be listed \(EIO\)/)
  t.equal(alert?.head.get('fix'), 'ls -la spool/held')
  await house.pass(5 * SECOND, SECOND)
  t.ok(alertOf(house.root, 'unreadable-file', 'spool/held'), 'open as long as that lasts')
  isBad = false
  await house.until('the alert goes with it', () => !alertOf(house.root, 'unreadable-file', 'spool/held'))
})
