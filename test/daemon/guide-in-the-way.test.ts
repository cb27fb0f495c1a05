import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { newRoot, openHouse, report, until } from '../crash/house.ts'

t.test('what an agent puts in the way of its guide is told, and keeps nobody from starting', async (t) => {
  const root = newRoot()
  const home = `${root}/workspaces/legal/home`
  const before = await openHouse(root)
  await before.daemon.ready
  await before.stop()
  rmSync(`${home}/AGENTS.md`)
  mkdirSync(`${home}/AGENTS.md`)
  writeFileSync(`${home}/AGENTS.md.was-${statSync(`${home}/AGENTS.md`).ino}`, 'no folder')

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
