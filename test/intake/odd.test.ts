import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Disk } from '../../src/system/types.ts'
import { door } from './door.ts'

const MINUTE_MS = 60_000

t.test('a draft is left alone for 5 min, then told of, and forgotten when it is renamed', async (t) => {
  const { root, taken, open, pass } = await door(t.testdir())
  for (const name of ['.a.md', 'b.md~', 'c.tmp', 'd.md.part']) writeFileSync(`${root}/spool/${name}`, 'x')
  await pass(5 * MINUTE_MS - 2_000)
  t.equal(open.size, 0)
  await pass(4_000)
  t.same(
    [...open.keys()].sort(),
    ['.a.md', 'b.md~', 'c.tmp', 'd.md.part'].map((name) => `abandoned-draft spool/${name}`),
  )
  renameSync(`${root}/spool/d.md.part`, `${root}/spool/d.md`)
  await pass(1_000)
  t.same(taken, ['spool/d.md: x'])
  t.equal(open.size, 3)
})

t.test('a draft that is open for writing is not abandoned', async (t) => {
  const { root, open, pass } = await door(t.testdir())
  const fd = openSync(`${root}/spool/a.tmp`, 'w')
  await pass(12 * MINUTE_MS)
  t.equal(open.size, 0)
  closeSync(fd)
  await pass(2 * MINUTE_MS)
  t.equal(open.size, 1)
})

t.test('a file that is no message is told of after 10 s, and no longer once it is gone', async (t) => {
  const { root, open, pass } = await door(t.testdir(), ['spool', 'spool/legal'])
  writeFileSync(`${root}/spool/report.pdf`, 'x')
  mkdirSync(`${root}/spool/legal/folder`)
  mkdirSync(`${root}/spool/files`)
  await pass(9_000)
  t.equal(open.size, 0)
  await pass(3_000)
  t.same([...open.keys()].sort(), ['unmatched-file spool/legal/folder', 'unmatched-file spool/report.pdf'])
  rmSync(`${root}/spool/report.pdf`)
  await pass(1_000)
  t.equal(open.size, 1)
  // As it is pasted, by somebody who has a folder of that name already.
  mkdirSync(`${root}/me/folder/its-own`, { recursive: true })
  execFileSync('sh', ['-c', open.get('unmatched-file spool/legal/folder')?.fix ?? ''], { cwd: root, env: { ...process.env, HOME: `${root}/me` } })
  const [made = ''] = readdirSync(`${root}/me`).filter((name) => name !== 'folder')
  t.same(readdirSync(`${root}/me/${made}`), ['folder'])
  await pass(1_000)
  t.equal(open.size, 0)
})

t.test('links and pipes are refused unopened', async (t) => {
  const { root, refused, taken, pass } = await door(t.testdir())
  symlinkSync('/etc/passwd', `${root}/spool/a.md`)
  execFileSync('mkfifo', [`${root}/spool/b.md`])
  await pass(2_000)
  t.match(refused.sort(), [/a\.md: it is a symbolic link/, /b\.md: it is a named pipe/])
  t.same(taken, [])
})

t.test('each new folder in the spool is asked for, a hidden one is a draft', async (t) => {
  const { root, asked, open, pass } = await door(t.testdir(), ['spool', 'spool/legal'])
  await pass(2_000)
  t.equal(asked.folders, 0, 'boxes that are known are no news')
  for (const name of ['one', 'two', '.hidden']) mkdirSync(`${root}/spool/${name}`)
  await pass(1_000)
  t.equal(asked.folders, 2)
  await pass(6 * MINUTE_MS)
  t.same([...open.keys()], ['abandoned-draft spool/.hidden'])
})

t.test('a fault on one file sets that file aside with growing delay, and stops nothing else', async (t) => {
  const { root, taken, open, fate, pass } = await door(t.testdir())
  const usual = fate.of
  let tries = 0
  fate.of = async (one) => {
    if (one.name !== 'bad.md') return usual(one)
    tries++
    throw tries % 2 === 0 ? new Error('a mistake of ours') : Object.assign(new Error('ENOENT: a folder of ours'), { code: 'ENOENT' })
  }
  writeFileSync(`${root}/spool/bad.md`, 'x')
  writeFileSync(`${root}/spool/good.md`, 'x')
  await pass(60_000)
  t.same(taken, ['spool/good.md: x'])
  t.ok(tries >= 5 && tries <= 9, `${tries} tries in a minute`)
  t.same([...open.keys()], ['unreadable-file spool/bad.md'])
  fate.of = usual
  await pass(61_000)
  t.equal(taken.length, 2)
  t.equal(open.size, 0)
})

t.test('a folder that cannot be read, or has another mode, is given to be mended; where nothing could be, it is told of until it can', async (t) => {
  let locked = false
  const lock = (disk: Disk): Disk => ({
    ...disk,
    entries: (folder) => {
      if (locked && String(folder).endsWith('/legal')) throw Object.assign(new Error('EACCES'), { code: 'EACCES' })
      return disk.entries(folder)
    },
    chmod: (path, mode) => {
      locked = false
      disk.chmod(path, mode)
    },
  })
  const { root, taken, asked, open, pass, settle } = await door(t.testdir(), ['spool', 'spool/legal'], lock)
  locked = true
  writeFileSync(`${root}/spool/legal/a.md`, 'a')
  chmodSync(`${root}/spool/legal`, 0)
  await pass(1_000)
  t.same(asked.repairs, ['spool/legal'])
  await pass(1_000)
  t.same(taken, ['spool/legal/a.md: a'])
  t.equal(open.size, 0)

  asked.helps = false
  locked = true
  writeFileSync(`${root}/spool/legal/b.md`, 'b')
  await pass(3_000)
  t.same([...open.keys()], ['unreadable-file spool/legal'])
  locked = false
  await pass(1_000)
  await settle()
  t.same(taken, ['spool/legal/a.md: a', 'spool/legal/b.md: b'])
  t.equal(open.size, 0)

  asked.helps = true
  asked.repairs = []
  chmodSync(`${root}/spool/legal`, 0o777)
  await pass(2_000)
  t.same(asked.repairs, ['spool/legal'], 'once')
})

t.test('what happens to the files/ of a drop folder is passed on; a file of that name elsewhere is no such thing', async (t) => {
  const { asked, say } = await door(t.testdir(), ['spool', 'spool/legal', 'workspaces/cfo/outbox'])
  say('spool/legal', 'files')
  say('workspaces/cfo/outbox', 'files')
  say('workspaces/cfo/outbox', 'files.md')
  t.same(asked.noticed, ['spool/legal', 'workspaces/cfo/outbox'])
})

t.test('who stops takes nothing new, and waits for what is on its way', async (t) => {
  const { root, taken, fate, intake, say, settle } = await door(t.testdir())
  const usual = fate.of
  let go = (): void => undefined
  fate.of = async (one) => {
    await new Promise<void>((resolve) => (go = resolve))
    return usual(one)
  }
  writeFileSync(`${root}/spool/a.md`, 'a')
  say('spool', 'a.md')
  await settle()
  let stopped = false
  const stopping = intake.stop().then(() => (stopped = true))
  writeFileSync(`${root}/spool/b.md`, 'b')
  say('spool', 'b.md')
  await settle()
  t.notOk(stopped)
  go()
  await stopping
  t.same(taken, ['spool/a.md: a'])
})
