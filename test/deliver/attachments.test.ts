import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { findAttachments } from '../../src/deliver/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { fails } from '../journal/ground.ts'
import { office } from './office.ts'

async function place(root: string, breakDisk?: (disk: Disk) => Disk) {
  const { disk } = await office(root, breakDisk ? { breakDisk } : {})
  const outbox = `${root}/workspaces/cfo/outbox`
  const find = (names: readonly string[], mayOwn = true): string => {
    const found = findAttachments(names, {
      disk,
      folder: outbox,
      shown: 'workspaces/cfo/outbox',
      home: `${root}/workspaces/cfo/home`,
      limitBytes: 100,
      mayOwn: () => mayOwn,
    })
    if (found.found === 'refused') return `refused ${found.code}`
    if (found.found === 'some') return `missing ${found.missing.join(' ')}`
    const told = found.files.map(({ name, fd, source }) => `${name}=${disk.read(fd, 100).toString()}${source ? '' : ' (stays)'}`).join(', ')
    for (const file of found.files) file.letGo()
    return told
  }
  return { outbox, home: `${root}/workspaces/cfo/home`, find }
}

t.test('a name is looked for in files/, beside the message, and as a path under the home', async (t) => {
  const { outbox, home, find } = await place(t.testdir())
  writeFileSync(`${home}/a.txt`, 'home')
  t.equal(find(['a.txt']), 'a.txt=home (stays)')
  writeFileSync(`${outbox}/a.txt`, 'beside')
  t.equal(find(['a.txt']), 'a.txt=beside')
  writeFileSync(`${outbox}/files/a.txt`, 'files')
  t.equal(find(['a.txt']), 'a.txt=files')
  t.equal(find(['./a.txt']), 'a.txt=files')
  writeFileSync(`${outbox}/b.md`, 'a message')
  t.equal(find(['b.md']), 'missing b.md', 'a message beside is no attachment')
})

t.test('what somebody put where it is found first does not hide the file that is meant', async (t) => {
  const root = t.testdir({ secret: 'secret' })
  const { outbox, find } = await place(root)
  symlinkSync(`${root}/nowhere`, `${outbox}/files/contract.pdf`)
  t.equal(find(['contract.pdf']), 'refused unsafe-file')
  writeFileSync(`${outbox}/contract.pdf`, 'mine')
  t.equal(find(['contract.pdf']), 'contract.pdf=mine')
})

t.test('two files of one name get two names', async (t) => {
  const { outbox, home, find } = await place(t.testdir())
  writeFileSync(`${outbox}/files/a.txt`, 'one')
  mkdirSync(`${home}/sub`)
  writeFileSync(`${home}/sub/a.txt`, 'two')
  t.equal(find(['a.txt', 'sub/a.txt']), 'a.txt=one, a-2.txt=two (stays)')
})

t.test("nothing leads out of the sender's folders", async (t) => {
  const root = t.testdir({ secret: 'secret', outside: { a: 'secret' } })
  const { outbox, home, find } = await place(root)
  symlinkSync(`${root}/secret`, `${outbox}/files/link`)
  symlinkSync(`${root}/outside`, `${home}/way`)
  t.equal(find(['link']), 'refused unsafe-file')
  t.equal(find(['way/a']), 'missing way/a')
  t.equal(find(['../../../secret']), 'missing ../../../secret')
  linkSync(`${root}/secret`, `${outbox}/files/hard`)
  t.equal(find(['hard']), 'refused unsafe-file')
  writeFileSync(`${outbox}/files/mine`, 'x')
  t.equal(find(['mine'], false), 'refused unsafe-file', "somebody else's")
})

t.test('what is too large is refused, what is being written is waited for', async (t) => {
  const { outbox, find } = await place(t.testdir())
  writeFileSync(`${outbox}/files/large`, 'x'.repeat(101))
  t.equal(find(['large']), 'refused too-large')
  const fd = openSync(`${outbox}/files/slow`, 'w')
  t.equal(find(['slow']), 'missing slow')
  closeSync(fd)
  t.equal(find(['slow']), 'slow=')
  unlinkSync(`${outbox}/files/slow`)
  t.equal(find(['slow', 'none']), 'missing slow none')
})

t.test('two files with names as long as can be get two names that a folder can hold', async (t) => {
  const { outbox, home, find } = await place(t.testdir())
  mkdirSync(`${home}/sub`)
  for (const name of [`${'ä'.repeat(125)}.txt`, `a.${'ö'.repeat(126)}`]) {
    writeFileSync(`${outbox}/files/${name}`, 'one')
    writeFileSync(`${home}/sub/${name}`, 'two')
    const names = find([name, `sub/${name}`])
      .split(', ')
      .map((told) => told.replace(/=.*/, ''))
    t.equal(new Set(names).size, 2)
    t.match(names[1], /^(ä+-2\.txt|a-2\.ö+)$/)
    for (const one of names) writeFileSync(`${home}/${one}`, 'fits')
  }
})

t.test('what was found is let go where the next one cannot be looked for', async (t) => {
  let broken = ''
  const opened = new Set<number>()
  const leased = new Set<number>()
  const { outbox, find } = await place(t.testdir(), (disk) => ({
    ...disk,
    openRead: (path) => {
      const fd = disk.openRead(path)
      opened.add(fd)
      return fd
    },
    close: (fd) => {
      opened.delete(fd)
      disk.close(fd)
    },
    stat: (path) => (broken === 'stat' && String(path).endsWith('second') ? fails('EIO')() : disk.stat(path)),
    fstat: (fd) => (broken === 'fstat' && opened.size === 2 ? fails('EIO')() : disk.fstat(fd)),
    lease: {
      ...disk.lease,
      take: (fd) => {
        if (broken === 'lease' && opened.size === 2) fails('EIO')()
        leased.add(fd)
        return disk.lease.take(fd)
      },
      drop: (fd) => {
        leased.delete(fd)
        disk.lease.drop(fd)
      },
    },
  }))
  for (const name of ['first', 'second']) writeFileSync(`${outbox}/files/${name}`, name)
  t.throws(() => find(['first', 'x'.repeat(256)]), { code: 'ENAMETOOLONG' })
  t.same([opened.size, leased.size], [0, 0])
  for (broken of ['stat', 'fstat', 'lease']) {
    t.throws(() => find(['first', 'second']), { code: 'EIO' }, broken)
    t.same([opened.size, leased.size], [0, 0], broken)
  }
  broken = ''
  t.equal(find(['first', 'second']), 'first=first, second=second')
})
