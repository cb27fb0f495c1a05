import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { agentRules, layoutOf, type Owners, provision, rootRules } from '../../src/mailbox/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { breakable } from '../journal/ground.ts'

const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
const owners: Owners = { daemon: self, operatorsGid: self.gid, holder: self, readersGid: self.gid, give: false }

t.test('every folder of the table is made with its mode; a second time nothing is found wrong', async (t) => {
  const layout = layoutOf(t.testdir())
  const { disk } = breakable()
  const rules = [...rootRules(layout), ...agentRules(layout, 'legal' as Name)]
  t.same(
    provision(disk, rules, owners).map(({ kind, path }) => `${kind} ${path}`),
    rules.map(({ path }) => `missing ${path}`),
  )
  t.same(provision(disk, rules, owners), [])
  for (const { path, mode } of rules) t.equal(statSync(path).mode & 0o7777, mode, path)
})

t.test('what was removed, locked or replaced by a link is mended, and said', async (t) => {
  const root = t.testdir({ elsewhere: {} })
  const layout = layoutOf(root)
  const { disk } = breakable()
  const rules = [...rootRules(layout), ...agentRules(layout, 'legal' as Name)]
  provision(disk, rules, owners)
  rmdirSync(layout.folder('legal', 'new'))
  chmodSync(layout.folder('legal', 'cur'), 0o777)
  rmdirSync(layout.folder('legal', 'done'))
  symlinkSync(`${root}/elsewhere`, layout.folder('legal', 'done'))
  const mended = provision(disk, rules, owners)
  t.match(
    mended.map(({ what }) => what),
    [/^was not there$/, /^had mode 777 instead of 2750$/, /^was a link, not a folder$/],
  )
  for (const folder of ['new', 'cur', 'done'] as const) t.ok(lstatSync(layout.folder('legal', folder)).isDirectory())
  t.ok(existsSync(`${root}/elsewhere`))
})

t.test('a folder that is exchanged for a link while it is mended never lends its mode to what the link leads to', async (t) => {
  const root = t.testdir({ elsewhere: {} })
  const layout = layoutOf(root)
  const { disk } = breakable()
  const rules = [...rootRules(layout), ...agentRules(layout, 'legal' as Name)]
  provision(disk, rules, owners)
  chmodSync(`${root}/elsewhere`, 0o755)
  const files = `${layout.outbox('legal')}/files`
  chmodSync(files, 0o777)
  let swaps = 0
  const swapping: Disk = {
    ...disk,
    pinFolder: (path) => {
      if (String(path).endsWith('/files')) {
        swaps++
        if (existsSync(files) && lstatSync(files).isDirectory()) rmdirSync(files)
        if (!existsSync(files)) symlinkSync(`${root}/elsewhere`, files)
      }
      return disk.pinFolder(path)
    },
  }
  t.match(provision(swapping, rules, owners), [{ path: files, mended: true }])
  t.equal(swaps, 1)
  t.equal(statSync(`${root}/elsewhere`).mode & 0o7777, 0o755)
  t.ok(lstatSync(files).isDirectory())
})

t.test('who puts other things in the place of a folder in a loop leaves a few of them beside it, the newest', async (t) => {
  const layout = layoutOf(t.testdir())
  const { disk } = breakable()
  const rules = agentRules(layout, 'legal' as Name)
  mkdirSync(layout.workspace('legal'), { recursive: true })
  provision(disk, rules, owners)
  const files = `${layout.outbox('legal')}/files`
  for (let i = 0; i < 20; i++) {
    rmdirSync(files)
    writeFileSync(files, `${i}`)
    t.match(provision(disk, rules, owners), [{ path: files, mended: true }])
    await new Promise((resolve) => void setTimeout(resolve, 12))
  }
  const kept = readdirSync(layout.outbox('legal')).filter((name) => name.startsWith('files.was-'))
  t.equal(kept.length, 8)
  t.same(
    kept.map((name) => Number(readFileSync(`${layout.outbox('legal')}/${name}`, 'utf8'))).sort((a, b) => a - b),
    [12, 13, 14, 15, 16, 17, 18, 19],
  )
})
