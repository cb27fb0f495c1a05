import { closeSync, linkSync, mkdirSync, openSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { findAttachments } from '../../src/deliver/index.ts'
import { office } from './office.ts'

async function place(root: string) {
  const { disk } = await office(root)
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
