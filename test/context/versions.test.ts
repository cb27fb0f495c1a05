import { execFileSync } from 'node:child_process'
import { chownSync, linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { checkpointFile, isContextFile } from '../../src/context/index.ts'
import { ground, ID, LEGAL, OTHER } from './ground.ts'

t.test('each version is kept for its message; the newest lies under a name that stays', async (t) => {
  const { versions, write, files, read, clock } = ground(t)
  for (let section = 1; section <= 25; section++) {
    write(`${ID}\nsection ${section} is done`)
    versions.keep(LEGAL, [ID])
    versions.keep(LEGAL, [ID])
    clock.step(section === 12 ? -3_600_000 : 1_000)
  }
  const kept = files().filter((name) => name !== checkpointFile(ID))
  t.equal(kept.length, 20)
  t.same(
    kept.map((name) => Number(/section (\d+)/.exec(read(name))?.[1])),
    Array.from({ length: 20 }, (_, n) => n + 6),
    'in their order, whatever the clock said',
  )
  t.match(read(checkpointFile(ID)), 'section 25 is done')
  t.ok(files().every(isContextFile))
})

t.test('an agent at work on several messages says in the file which it is about', async (t) => {
  const { versions, write, read, files } = ground(t)
  write(`${OTHER}\nabout the other`)
  versions.keep(LEGAL, [ID, OTHER])
  t.notOk(files().includes(checkpointFile(ID)))
  write(`${ID}\nabout this`)
  versions.keep(LEGAL, [ID, OTHER])
  t.match(read(checkpointFile(OTHER)), 'about the other')
  t.match(read(checkpointFile(ID)), 'about this')
  write('does not say')
  versions.keep(LEGAL, [ID])
  t.equal(read(checkpointFile(ID)), 'does not say')
})

t.test('what lies in the place of a checkpoint is not followed, waited for, or taken however large', async (t) => {
  const { versions, home, runs, files, logged } = ground(t)
  const path = `${home}/checkpoint.md`
  writeFileSync(`${runs}/secret`, 'of the daemon')
  const odd: Record<string, () => void> = {
    link: () => symlinkSync(`${runs}/secret`, path),
    'hard link': () => linkSync(`${runs}/secret`, path),
    pipe: () => void execFileSync('mkfifo', [path]),
    folder: () => mkdirSync(path),
    nothing: () => undefined,
    empty: () => writeFileSync(path, ''),
    huge: () => {
      writeFileSync(path, '')
      truncateSync(path, 2 ** 40)
    },
  }
  for (const [what, make] of Object.entries(odd)) {
    make()
    versions.keep(LEGAL, [ID])
    t.same(files(), ['secret'], what)
    rmSync(path, { recursive: true, force: true })
  }
  t.same(logged, ['a checkpoint is too large to be kept'])
})

t.test("a file of somebody else's is no checkpoint", { skip: process.getuid?.() !== 0 && 'only root can make one' }, async (t) => {
  const { versions, home, write, files } = ground(t)
  write('for other eyes')
  chownSync(`${home}/checkpoint.md`, 4_321, 4_321)
  t.equal(versions.look(LEGAL), undefined)
  versions.keep(LEGAL, [ID])
  t.same(files(), [])
})
