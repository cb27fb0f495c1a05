import { mkdirSync, readdirSync } from 'node:fs'
import t from 'tap'
import { judgeFileSystem } from '../../src/daemon/filesystem.ts'
import { layoutOf } from '../../src/mailbox/index.ts'
import { realSystem } from '../../src/system/index.ts'
import type { Disk } from '../../src/system/types.ts'

/** As statfs(2) tells it: linux/magic.h. */
const MAGIC = { NFS: 0x6969, CIFS: 0xff534d42, SMB2: 0xfe534d42, '9P': 0x01021997, FUSE: 0x65735546, Ceph: 0x00c36400, AFS: 0x5346414f } as const
const EXT4 = 0xef53

const fail = (code: string): never => {
  throw Object.assign(new Error(`${code}: it is not done here`), { code })
}

/** Each of them breaks one promise, in a way that some server or FUSE program is known for. */
const LIARS: Readonly<Record<string, (real: Disk) => Partial<Disk>>> = {
  'a rename or link is refused: EINVAL': () => ({ exchange: () => fail('EINVAL') }),
  'a rename or link is refused: EPERM': () => ({ link: () => fail('EPERM') }),
  'an exchange of two names did not exchange': (real) => ({ exchange: (a, b) => real.rename(a, b), readFile: () => Buffer.from('b') }),
  'a link did not count': (real) => ({ stat: (path) => ({ ...real.stat(path), links: 1 }) }),
  'that was renamed is not the same file': (real) => {
    let ino = 1
    return { stat: (path) => ({ ...real.stat(path), ino: ino++ }) }
  },
  'is not in the list of its folder': () => ({ list: () => [] }),
  'that must not replace a file replaced it': (real) => ({ renameNew: (from, to) => real.rename(from, to) }),
  'a rename did not replace what was there': (real) => ({ rename: (from) => real.unlink(from) }),
}

async function ground(folder: string) {
  const layout = layoutOf(folder)
  for (const path of [layout.staging, layout.spool, layout.workspaces]) mkdirSync(path, { recursive: true })
  const { disk } = await realSystem(layout.staging, 'error', () => undefined)
  const before = everything(folder)
  return { layout, disk, isClean: () => everything(folder) === before }
}

function everything(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().join('\n')
}

t.test('a network or FUSE file system that holds what it promises is taken like any other', async (t) => {
  const { layout, disk, isClean } = await ground(t.testdir())
  for (const [name, magic] of [...Object.entries(MAGIC), ['ext4', EXT4] as const]) t.equal(judgeFileSystem(disk, layout, magic), undefined, name)
  t.ok(isClean(), 'nothing is left of the trial')
})

for (const [what, lie] of Object.entries(LIARS)) {
  t.test(`refused, with its name and how to overrule: ${what}`, async (t) => {
    const { layout, disk, isClean } = await ground(t.testdir())
    const lying = { ...disk, ...lie(disk) }
    for (const [name, magic] of Object.entries(MAGIC)) {
      const broken = judgeFileSystem(lying, layout, magic)
      t.match(broken?.why, `is on ${name}, which does not hold`)
      t.match(broken?.why, what)
      t.match(broken, { why: /PENNY_ANY_FILESYSTEM=1/, fix: /^df -T /, mayOverrule: true })
    }
    t.match(judgeFileSystem(lying, layout, EXT4)?.why, what, 'a local disk is not believed either')
    t.ok(isClean(), 'nothing is left of the trial')
  })
}

for (const code of ['ENOSPC', 'EDQUOT']) {
  t.test(`a full disk is no file system that breaks its promises: ${code}`, async (t) => {
    const { layout, disk, isClean } = await ground(t.testdir())
    for (const full of [{ create: () => fail(code) }, { link: () => fail(code) }]) t.throws(() => judgeFileSystem({ ...disk, ...full }, layout, EXT4), { code })
    t.ok(isClean(), 'nothing is left of the trial')
  })
}
