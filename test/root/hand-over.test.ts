import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { type Handed, type HandOver, handOver } from '../../src/mailbox/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { AM_ROOT } from '../e2e/driver.ts'
import { breakable, fails } from '../journal/ground.ts'

const only = { skip: AM_ROOT ? false : 'needs uid 0: only root gives files away' }
const [OLD, NEW, OTHER] = [4_001, 4_002, 4_003].map((id) => ({ uid: id, gid: id })) as [Ids, Ids, Ids]
type Ids = Readonly<{ uid: number; gid: number }>

const own = (path: string, { uid, gid }: Ids = OLD): void => chownSync(path, uid, gid)
const uidOf = (path: string): number => lstatSync(path).uid
function file(path: string, owner = OLD, mode = 0o600): string {
  writeFileSync(path, 'text')
  own(path, owner)
  chmodSync(path, mode)
  return path
}
function folder(path: string, owner = OLD): string {
  mkdirSync(path)
  own(path, owner)
  return path
}

function hand(disk: Disk, path: string, how: Partial<HandOver> = {}, steps = Number.POSITIVE_INFINITY): Handed {
  const handed: Handed = { from: undefined, given: 0, leftCount: 0, left: [] }
  const all = handOver(disk, { path, mode: 0o700, contents: 'agent', to: NEW, ownerOf: () => NEW, ...how }, handed)
  for (let left = steps; left > 0 && !all.next().done; left--);
  all.return(undefined)
  return handed
}

t.test('only what is the former owner’s and has no other name is given; a folder comes after what lies in it', only, (t) => {
  const root = t.testdir()
  const home = folder(`${root}/home`)
  const deep = folder(`${home}/deep`)
  file(`${deep}/tool`, OLD, 0o6755)
  file(`${home}/others`, OTHER)
  const secret = file(`${root}/secret`)
  linkSync(secret, `${home}/hard`)
  symlinkSync(secret, `${home}/soft`)
  linkSync(file(`${home}/both-1`), `${home}/both-2`)
  const { disk } = breakable()
  hand(disk, home, {}, 2)
  t.equal(uidOf(home), OLD.uid, 'broken off: its own owner says that it is not done')
  const handed = hand(disk, home)
  t.match(handed, { from: OLD, leftCount: 3 })
  t.match(handed.left.toSorted().join(), /both-1 has 2 names,both-2 has 2 names,hard has 2 names/)
  for (const path of [home, deep, `${deep}/tool`]) t.equal(uidOf(path), NEW.uid, path)
  t.equal(lstatSync(`${deep}/tool`).mode & 0o7777, 0o755)
  t.equal(uidOf(`${home}/others`), OTHER.uid)
  t.equal(uidOf(secret), OLD.uid)
  t.same(hand(disk, home), { from: NEW, given: 0, leftCount: 0, left: [] }, 'once more: nothing is left to do')
  t.end()
})

t.test('what is exchanged at the very moment it is given is judged as what it then is', only, (t) => {
  const root = t.testdir()
  const { disk } = breakable()
  const exchanges: Record<string, (victim: string, at: string) => void> = {
    'a link to a secret': (victim, at) => symlinkSync(victim, at),
    'another name of a secret': (victim, at) => linkSync(victim, at),
    'a link to a folder': (_victim, at) => symlinkSync(`${root}/elsewhere`, at),
  }
  folder(`${root}/elsewhere`)
  const inside = file(`${root}/elsewhere/inside`)
  for (const when of ['before', 'after'] as const)
    for (const [what, exchange] of Object.entries(exchanges)) {
      const secret = file(`${root}/secret`)
      const home = folder(`${root}/home`)
      folder(`${home}/victim`)
      file(`${home}/victim/x`)
      const swap = (): void => {
        if (!existsSync(`${home}/victim/x`)) return
        renameSync(`${home}/victim`, `${root}/was`)
        exchange(secret, `${home}/victim`)
      }
      const swapping: Disk = {
        ...disk,
        pin: (path) => {
          if (when === 'before') swap()
          const fd = disk.pin(path)
          if (when === 'after') swap()
          return fd
        },
      }
      hand(swapping, home)
      t.equal(uidOf(secret), OLD.uid, `${what}, ${when}`)
      t.equal(uidOf(`${root}/elsewhere`), OLD.uid, `${what}, ${when}`)
      t.equal(uidOf(inside), OLD.uid, `${what}, ${when}`)
      for (const path of ['secret', 'home', 'was']) rmSync(`${root}/${path}`, { recursive: true, force: true })
    }
  t.end()
})

t.test('what vanishes meanwhile is passed over, what may not be changed or lies too deep is told, and the rest is given', only, (t) => {
  const root = t.testdir()
  const home = folder(`${root}/home`)
  for (const name of ['a', 'b', 'c']) file(`${home}/${name}`)
  let deep = folder(`${home}/deep`)
  for (let i = 0; i < 120; i++) deep = folder(`${deep}/d`)
  const immutable = lstatSync(`${home}/b`).ino
  const { disk } = breakable()
  const odd: Disk = {
    ...disk,
    pin: (path) => {
      if (String(path).endsWith('/a')) unlinkSync(`${home}/a`)
      return disk.pin(path)
    },
    setOwner: (fd, owner) => (disk.fstat(fd).ino === immutable ? fails('EPERM')() : disk.setOwner(fd, owner)),
  }
  const handed = hand(odd, home)
  t.match(handed.left.join(), /b may not be changed/)
  t.match(handed.left.join(), /d lies too deep/)
  t.equal(uidOf(`${home}/c`), NEW.uid)
  t.equal(uidOf(home), NEW.uid)
  t.end()
})

t.test('files of mail and of the daemon get the modes of the table', only, (t) => {
  const root = t.testdir()
  const { disk } = breakable()
  const cases = {
    mail: [0o2750, 0o640],
    given: [0o750, 0o640],
    alerts: [0o750, 0o640],
    policies: [0o2770, 0o770],
    daemon: [0o755, 0o755],
    person: [0o777, 0o777],
  } as const
  for (const [contents, [folderMode, fileMode]] of Object.entries(cases) as [keyof typeof cases, readonly [number, number]][]) {
    const top = folder(`${root}/${contents}`)
    chmodSync(folder(`${top}/in`), 0o7777)
    file(`${top}/in/file`, OLD, 0o6777)
    hand(disk, top, { contents })
    t.equal(lstatSync(`${top}/in`).mode & 0o7777, folderMode, contents)
    t.equal(lstatSync(`${top}/in/file`).mode & 0o7777, fileMode, contents)
    t.equal(readFileSync(`${top}/in/file`, 'utf8'), 'text')
  }
  t.end()
})
