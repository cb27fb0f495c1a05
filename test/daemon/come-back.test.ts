import { writeFileSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import { report } from '../crash/house.ts'
import { alertOf } from '../e2e/files.ts'
import { MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

async function closeAll(house: TurnedHouse): Promise<void> {
  await house.house().daemon.verbs['alerts-done']({ verb: 'alerts-done', which: 'all' }, () => undefined, new AbortController().signal)
}

t.test('a file that nobody can read as mail is told again after a person closed that, as long as it lies there', async (t) => {
  const house = await turnedHouse(t)
  house.drop('spool/legal/foo.txt', 'x\n')
  house.drop('workspaces/legal/strange.txt', 'x\n')
  const areTold = (): boolean => ['spool/legal/foo.txt', 'workspaces/legal/strange.txt'].every((about) => alertOf(house.root, 'unmatched-file', about))
  await house.pass(30 * SECOND, SECOND)
  await house.until('both are told', areTold)
  await closeAll(house)
  t.same((await report(house.house())).alerts, [])
  await house.pass(MINUTE, SECOND)
  t.ok(areTold())
})

t.test('that policies/ cannot be used is an alert whenever the status says so', async (t) => {
  const house = await turnedHouse(t)
  writeFileSync(house.at('policies/org.yaml'), 'name: [acme\npostmaster: operator\n')
  await house.pass(31 * SECOND, SECOND)
  await house.until('it is told', () => alertOf(house.root, 'config-invalid'))
  await closeAll(house)
  const { config, alerts } = await report(house.house())
  t.same([config.invalid, alerts.map(({ code }) => code)], [true, ['config-invalid']])
  t.match(alertOf(house.root, 'config-invalid')?.text, /the daemon will not start again until this is mended/)
})

t.test('a part of the start that failed is told once, and closed when the next start gets over it', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let fails = true
  const list: typeof disk.list = (path) => {
    if (fails && String(path).endsWith('/.penny/said')) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
    return disk.list(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, list } })
  const told = () => alertOf(house.root, 'unreadable-file', 'start: the mailboxes')
  await house.until('it is told', told)
  await closeAll(house)
  await house.pass(2 * MINUTE, SECOND)
  t.notOk(told(), 'who closed it knows: nobody has found it again')
  await house.restart()
  await house.until('it is found again', told)
  fails = false
  await house.restart()
  await house.until('it closes', () => !told())
})
