import { existsSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { realSystem } from '../../src/system/index.ts'
import { alertOf, lettersOf, message } from '../e2e/files.ts'
import { MINUTE, turnedHouse } from './turned.ts'

/** Until it is told otherwise, the disk is full for whatever is made under a path with this in it. */
async function fullDisk(t: Test, where: string) {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const full = { is: false }
  const check = (path: string | Buffer): void => {
    if (full.is && String(path).includes(where)) throw Object.assign(new Error(`ENOSPC: no space left on device, '${String(path)}'`), { code: 'ENOSPC' })
  }
  const refusing: typeof disk = {
    ...disk,
    create: (path, ...rest) => {
      check(path)
      return disk.create(path, ...rest)
    },
    makeFolder: (path, ...rest) => {
      check(path)
      disk.makeFolder(path, ...rest)
    },
  }
  return { disk: refusing, full }
}

for (const [what, where, inPart] of [
  ['the copy of the runners', '/.penny/runners/', false],
  ['the folders of a new agent', '/cto', true],
] as const) {
  t.test(`a disk that refuses ${what}: the daemon lives, says so, and takes the change once there is room`, async (t) => {
    const { disk, full } = await fullDisk(t, where)
    const house = await turnedHouse(t, {}, { disk })
    full.is = true
    writeFileSync(house.at('policies/agents/cto.md'), '---\ntitle: CTO\n---\nYou build.\n')
    const alert = await house.until('config-invalid', () => alertOf(house.root, 'config-invalid'), 5 * MINUTE)
    t.match(alert.text, inPart ? /in force only in part: ENOSPC/ : /what ran before runs on: ENOSPC/)
    t.match(alert.text, /fix: .*df -h/)
    t.notOk(existsSync(house.at('workspaces/cto')))
    // With no room for a folder mail waits too (disk-full).
    if (!inPart) {
      house.drop('spool/legal/on.md', message({ subject: 'mail goes on' }))
      await house.until('mail', () => lettersOf(house.root, 'legal')[0])
    }
    full.is = false
    await house.until('the folders', () => existsSync(house.at('workspaces/cto/new')), 5 * MINUTE)
    await house.until('the alert closes', () => !alertOf(house.root, 'config-invalid'), 5 * MINUTE)
    house.drop('spool/cto/first.md', message({ subject: 'welcome' }))
    await house.until('mail of the new agent', () => lettersOf(house.root, 'cto')[0])
  })
}

t.test('a change that could not be used and was mended while the daemon was down: its alert closes with the start', async (t) => {
  const house = await turnedHouse(t)
  writeFileSync(house.at('policies/agents/cto.md'), '---\ntitel: CTO\n---\nYou build.\n')
  await house.until('config-invalid', () => alertOf(house.root, 'config-invalid'), 5 * MINUTE)
  await house.house().stop()
  writeFileSync(house.at('policies/agents/cto.md'), '---\ntitle: CTO\n---\nYou build.\n')
  await house.restart()
  await house.until('the alert closes', () => !alertOf(house.root, 'config-invalid'), MINUTE)
})

t.test('a new agent whose folders cannot be made keeps none of the others from their mail', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const makeFolder: typeof disk.makeFolder = (path, ...rest) => {
    if (String(path).endsWith('/bob')) throw Object.assign(new Error(`EPERM: operation not permitted, mkdir '${String(path)}'`), { code: 'EPERM' })
    disk.makeFolder(path, ...rest)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, makeFolder } })
  for (const name of ['bob', 'carol']) writeFileSync(house.at(`policies/agents/${name}.md`), `---\ntitle: ${name}\n---\nYou build.\n`)
  const alert = await house.until('config-invalid', () => alertOf(house.root, 'config-invalid'), 5 * MINUTE)
  t.match(alert.text, /in force only in part: EPERM/)
  house.drop('workspaces/carol/outbox/a.md', message({ to: 'legal', subject: 'from carol' }))
  await house.until('her mail', () => lettersOf(house.root, 'legal').some(({ head }) => head.get('from') === 'carol'), MINUTE)
  t.ok(existsSync(house.at('workspaces/carol/home/AGENTS.md')), 'and her guide is there')
})
