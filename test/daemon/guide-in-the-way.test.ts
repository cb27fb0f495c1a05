import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { newRoot, openHouse, report, until } from '../crash/house.ts'
import { SECOND, turnedHouse } from './turned.ts'

t.test('what an agent puts in the way of its guide is told, and keeps nobody from starting', async (t) => {
  const root = newRoot()
  const home = `${root}/workspaces/legal/home`
  const before = await openHouse(root)
  await before.daemon.ready
  await before.stop()
  rmSync(`${home}/AGENTS.md`)
  mkdirSync(`${home}/AGENTS.md`)
  for (let n = 1; n <= 8; n++) writeFileSync(`${home}/AGENTS.md.was-${n}`, 'no folder')

  const after = await openHouse(root)
  await after.daemon.ready
  t.match((await report(after)).alerts, [{ code: 'unreadable-file', about: 'workspaces/legal/home/AGENTS.md' }])
  t.match(readFileSync(`${root}/workspaces/cfo/home/AGENTS.md`, 'utf8'), 'cfo')
  await after.stop()

  rmSync(`${home}/AGENTS.md`, { recursive: true })
  const last = await openHouse(root)
  t.teardown(last.stop)
  await last.daemon.ready
  t.ok(await until(async () => (await report(last)).alerts.length === 0))
  t.match(readFileSync(`${home}/AGENTS.md`, 'utf8'), 'legal')
})

t.test('what an agent does to its guide while the daemon runs is made good, also in a loop, and fills nothing', async (t) => {
  const house = await turnedHouse(t)
  const home = house.at('workspaces/legal/home')
  const names = ['AGENTS.md', 'CLAUDE.md', 'ROLE.md']
  const read = (): string[] => names.map((name) => readFileSync(`${home}/${name}`, 'utf8'))
  const good = read()
  const done = [
    (path: string) => rmSync(path),
    (path: string) => writeFileSync(path, 'my own rules'),
    (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace(/e/g, 'x')),
    (path: string) => {
      rmSync(path)
      symlinkSync('/etc/hostname', path)
    },
  ]
  for (const act of done) {
    // Long enough for what is there to be known as good.
    await house.pass(3 * SECOND, SECOND)
    for (const name of names) act(`${home}/${name}`)
    await house.until('made good', () => names.every((name) => existsSync(`${home}/${name}`)) && read().join() === good.join(), 10 * SECOND)
  }
  for (let n = 0; n < 12; n++) {
    rmSync(`${home}/AGENTS.md`)
    mkdirSync(`${home}/AGENTS.md`)
    await house.until('made good', () => readdirSync(home, { withFileTypes: true }).some((one) => one.name === 'AGENTS.md' && one.isFile()), 10 * SECOND)
  }
  t.same(read(), good)
  t.ok(readdirSync(home).length <= names.length + 8, readdirSync(home).join(' '))
  t.same((await report(house.house())).alerts, [])
})
