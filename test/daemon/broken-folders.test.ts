import { chmodSync, existsSync, mkdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import { alertsOf } from '../e2e/files.ts'
import { MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

type Told = Readonly<{ code: string; about: string; fix: string; text: string }>

function told(house: TurnedHouse): Told[] {
  const of = (head: ReadonlyMap<string, string>, key: string): string => head.get(key) ?? ''
  return alertsOf(house.root).map(({ head, text }) => ({ code: of(head, 'code'), about: of(head, 'about'), fix: of(head, 'fix'), text }))
}

async function untilTold(house: TurnedHouse, about: string, withinMs: number): Promise<Told> {
  for (let left = withinMs; ; left -= SECOND) {
    const found = told(house).find((one) => one.about === about)
    if (found) return found
    if (left <= 0) throw new Error(`not told within ${withinMs / SECOND} s: ${about}`)
    await house.pass(SECOND)
  }
}

t.test('a folder that was removed is made again and told within a sweep or a round, by whomever it is found', async (t) => {
  const house = await turnedHouse(t)
  await house.pass(2 * SECOND)
  const sweep = 2 * SECOND
  const round = 13 * SECOND
  for (const [folder, withinMs] of [
    ['workspaces/legal/new', sweep],
    ['workspaces/legal/cur', sweep],
    ['workspaces/cfo/outbox', sweep],
    ['spool/clerk', sweep],
    ['spool/held', sweep],
    ['workspaces/cfo/sent', round],
    ['workspaces/legal/outbox/files', round],
    ['workspaces/legal/home', round],
    ['.penny/said', sweep],
  ] as const) {
    rmSync(house.at(folder), { recursive: true })
    const alert = await untilTold(house, folder, withinMs)
    t.match(alert, { code: 'unreadable-file', text: /was removed or renamed; it was made again/ }, folder)
    t.equal(alert.fix, `ls -la ${folder.slice(0, folder.lastIndexOf('/'))}`)
    t.ok(statSync(house.at(folder)).isDirectory(), folder)
  }
  t.notOk(
    told(house).some(({ about }) => about === 'workspaces/cfo/outbox/files'),
    'what lay in it went with it',
  )
  await house.until('the guide in the new home', () => existsSync(house.at('workspaces/legal/home/AGENTS.md')), 5 * SECOND)
  await house.pass(2 * MINUTE, SECOND)
  t.same(told(house), [], 'each is closed once its folder was good for a minute')
})

t.test('a folder whose mode was changed is given it back, and told, by whomever it is found', async (t) => {
  const house = await turnedHouse(t)
  await house.pass(2 * SECOND)
  for (const [folder, mode, withinMs] of [
    ['workspaces/legal/new', 0o2750, 2 * SECOND],
    ['workspaces/cfo/outbox', 0o700, 2 * SECOND],
    ['spool/clerk', 0o1733, 2 * SECOND],
    ['spool', 0o1733, 2 * SECOND],
    ['workspaces/legal/home', 0o700, 13 * SECOND],
  ] as const) {
    chmodSync(house.at(folder), 0o555)
    t.match(await untilTold(house, folder, withinMs), { code: 'unreadable-file', text: /had mode 555 instead of/ })
    t.equal(statSync(house.at(folder)).mode & 0o7777, mode)
  }
})

t.test('who breaks a folder again and again is told of by one alert', async (t) => {
  const house = await turnedHouse(t)
  await house.pass(2 * SECOND)
  let first: Told | undefined
  for (let n = 0; n < 20; n++) {
    rmdirSync(house.at('workspaces/legal/cur'))
    const alert = await untilTold(house, 'workspaces/legal/cur', 2 * SECOND)
    first ??= alert
    await house.pass(2 * SECOND, SECOND)
    t.ok(existsSync(house.at('workspaces/legal/cur')))
  }
  t.ok(first)
  t.equal(told(house).length, 1)
})

t.test('what cannot be mended is told, and keeps nobody else from anything', async (t) => {
  const house = await turnedHouse(t)
  await house.pass(2 * SECOND)
  renameSync(house.at('workspaces/legal'), house.at('aside'))
  writeFileSync(house.at('workspaces/legal'), 'a file')
  await untilTold(house, 'workspaces/legal', 13 * SECOND)
  t.ok(statSync(house.at('workspaces/legal/new')).isDirectory(), 'a file in its place is set aside')
  house.drop('spool/cfo/a.md', 'for cfo')
  await house.until('mail for another', () => existsSync(house.at('workspaces/cfo/new')) && !existsSync(house.at('spool/cfo/a.md')), 5 * SECOND)
})

t.test('the alert of policies/ that cannot be mended stays as long as its cause, and goes with it', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let refuses = true
  const pinFolder: typeof disk.pinFolder = (path) => {
    if (refuses && String(path).endsWith('/policies')) throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' })
    return disk.pinFolder(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, pinFolder } })
  t.match(await untilTold(house, 'policies', 2 * SECOND), { code: 'unreadable-file', text: /cannot be made right \(.*EPERM.*\); it is tried again and again/ })
  await house.pass(3 * MINUTE, SECOND)
  t.same(
    told(house).map(({ about }) => about),
    ['policies'],
  )
  refuses = false
  await house.until('it closes', () => told(house).length === 0, 3 * MINUTE)
})

t.test('policies/ that is away for a moment, while it is exchanged, is not made again', async (t) => {
  const house = await turnedHouse(t)
  await house.pass(2 * SECOND)
  renameSync(house.at('policies'), house.at('policies.old'))
  await house.pass(15 * SECOND, SECOND)
  t.notOk(existsSync(house.at('policies')))
  renameSync(house.at('policies.old'), house.at('policies'))
  mkdirSync(house.at('policies/groups'), { recursive: true })
})
