import { appendFileSync, chmodSync, existsSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t from 'tap'
import { create } from '../../src/cli/drop.ts'
import { AGAIN, Refusal } from '../../src/cli/exit.ts'
import { replaceOwn } from '../../src/cli/hold.ts'
import { within } from '../../src/cli/holder.ts'
import { printRefusal } from '../../src/cli/print.ts'
import { parseMessage } from '../../src/message/index.ts'
import { deliver, idOf, objects, openOrganisation, organisation, penny, pennyOfAStranger } from './called.ts'
import { listen } from './spoken.ts'

const values = (path: string): Readonly<Record<string, unknown>> => {
  const parsed = parseMessage(readFileSync(path), { frontMatterBytes: 65536 })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  return parsed.message.values
}

t.test('next claims the most urgent message by moving it, and prints it; no mail is exit 1', async (t) => {
  const root = organisation(t)
  const cwd = `${root}/workspaces/legal/home`
  deliver(root, { id: idOf('aaaa1111', 1), holder: 'legal', folder: 'new' })
  const urgent = deliver(root, { id: idOf('bbbb2222', 2), holder: 'legal', folder: 'new', priority: 'urgent', rank: 1, body: 'The urgent one\n' })
  const first = await penny(['next'], { cwd })
  t.equal(first.status, 0)
  t.match(first.out, /The urgent one/)
  t.ok(existsSync(urgent.replace('/new/', '/cur/')))
  t.match(objects((await penny(['next', '--json'], { cwd })).out), [{ schema: 'penny/next/1', id: idOf('aaaa1111', 1), folder: 'cur' }])
  const none = await penny(['next'], { cwd })
  t.equal(none.status, 1)
  t.match(none.err, /no mail/)
})

t.test('next --wait returns when mail comes', async (t) => {
  const root = organisation(t)
  const waiting = penny(['next', '--wait'], { cwd: `${root}/workspaces/legal` })
  setTimeout(() => deliver(root, { id: idOf('aaaa1111'), holder: 'legal', folder: 'new' }), 50)
  t.equal((await waiting).status, 0)
})

t.test('claim and settle act on the own files and leave the rest of the text alone', async (t) => {
  const root = organisation(t)
  const cwd = `${root}/workspaces/legal/home`
  const path = deliver(root, {
    id: idOf('aaaa1111'),
    holder: 'legal',
    folder: 'new',
    head: { 'x-note': '"kept"   # with a comment' },
    body: 'A body\r\nwithout an end',
  })
  t.equal((await penny(['claim', '1111'], { cwd })).status, 0)
  const claimed = path.replace('/new/', '/cur/')
  t.ok(existsSync(claimed))
  const twice = await penny(['claim', '1111'], { cwd })
  t.equal(twice.status, 77, 'what is claimed is not claimed again')
  t.match(twice.err, /claimed already/)
  t.equal((await penny(['settle', '1111', 'done', '-m', 'Signed: "yes" # really'], { cwd })).status, 0)
  t.match(values(claimed), { status: 'done', result: 'Signed: "yes" # really', 'x-note': 'kept' })
  t.ok(readFileSync(claimed, 'utf8').endsWith('---\nA body\r\nwithout an end'))
  t.match(readFileSync(claimed, 'utf8'), '"kept"   # with a comment')
  t.same(readdirSync(`${root}/workspaces/legal/cur`).length, 1, 'nothing else is left behind')
  const again = await penny(['settle', '1111', 'failed'], { cwd })
  t.equal(again.status, 77)
  t.equal((await penny(['settle', '1111', 'finished'], { cwd })).status, 64)
})

t.test('a blocked task is taken up again by a claim', async (t) => {
  const root = organisation(t)
  const cwd = `${root}/workspaces/legal/home`
  const path = deliver(root, { id: idOf('aaaa1111'), holder: 'legal', folder: 'cur', head: { status: 'blocked' } })
  t.equal((await penny(['claim', '1111'], { cwd })).status, 0)
  t.match(values(path), { status: 'in_progress' })
})

t.test('a version is put in the place of the one that was read, not of one that was written to or replaced meanwhile', (t) => {
  const path = `${t.testdir({ message: 'as read' })}/message`
  const read = statSync(path)
  for (const write of [() => appendFileSync(path, ', and a line more'), () => writeFileSync(path, 'as rea?')]) {
    write()
    const written = readFileSync(path, 'utf8')
    t.throws(() => replaceOwn(path, 'edited', read), { message: 'the message was changed meanwhile', fix: AGAIN })
    t.equal(readFileSync(path, 'utf8'), written)
    t.same(readdirSync(dirname(path)), ['message'])
  }
  replaceOwn(path, 'edited', statSync(path))
  t.equal(readFileSync(path, 'utf8'), 'edited')
  t.end()
})

t.test('what goes wrong in a folder is told of the folder, not of the descriptor that it was pinned with', (t) => {
  const root = t.testdir({ one: { file: '' }, other: { folder: { file: '' } } })
  const [one, other] = [`${root}/one`, `${root}/other`]
  const told = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (cause) {
      return cause
    }
  }
  t.match(
    told(() => within(one, (at) => readFileSync(`${at}/missing`))),
    { path: `${one}/missing`, message: `ENOENT: no such file or directory, open '${one}/missing'` },
  )
  t.match(
    told(() => within(one, (at) => readFileSync(at))),
    { message: 'EISDIR: illegal operation on a directory, read' },
  )
  t.match(
    told(() => within(one, (from) => within(other, (to) => renameSync(`${from}/file`, `${to}/folder`)))),
    { path: `${one}/file`, dest: `${other}/folder`, message: `EISDIR: illegal operation on a directory, rename '${one}/file' -> '${other}/folder'` },
  )
  t.match(
    told(() => within(one, (at) => within(`${at}/file`, () => undefined, `${one}/file`))),
    { message: `${one}/file is no folder`, fix: `ls -ld ${one}/file` },
  )
  t.end()
})

t.test('what somebody else changed at the same moment is tried again with the very command', async (t) => {
  const root = organisation(t)
  const at = `${root}/workspaces/legal/outbox`
  t.throws(
    () =>
      within(at, (folder) =>
        create(`${folder}/.send-x.tmp`, () => {
          unlinkSync(`${folder}/.send-x.tmp`)
          renameSync(`${folder}/.send-x.tmp`, `${folder}/x.md`)
        }),
      ),
    { message: 'nothing was changed: .send-x.tmp went away while it was written', fix: AGAIN },
  )
  let err = ''
  const surroundings = { env: {}, cwd: root, typed: ['/opt/penny', 'send', 'legal', '-m', "it's", '--root', root], err: (text: string) => (err += text) }
  printRefusal(
    { ...surroundings, uid: 1000, stdin: process.stdin, stdinIsTerminal: false, stdoutIsTerminal: false, out: () => undefined },
    new Refusal(75, 'what', '', AGAIN),
  )
  t.equal(err, `what\n  fix: penny send legal -m 'it'\\''s' --root ${root}\n`)
})

t.test('who names the wrong mailbox is told the command with the right one', async (t) => {
  const root = openOrganisation(t)
  const id = idOf('aaaa1111')
  await listen(t, root, ({ verb }) => [
    {
      end: true,
      ok: true,
      ...(verb === 'find' ? { ids: [id] } : { holder: 'legal', folder: 'new', path: `3-normal.${id}.x.md`, text: '---\nfrom: operator\n---\n' }),
    },
  ])
  chmodSync(`${root}/.penny/run/daemon.sock`, 0o777)
  chmodSync(`${root}/workspaces/pmo/new`, 0)
  const { status, err } = await pennyOfAStranger(['reply', '1111', '--agent=pmo', '-m', 'pmo'], { cwd: root })
  t.equal(status, 66, err)
  t.match(err, `it is in that of legal\n  fix: penny reply 1111 --agent=legal -m pmo\n`)
})

t.test('blocked --on writes what is waited for; a holder cannot cancel', async (t) => {
  const root = organisation(t)
  const cwd = `${root}/workspaces/legal`
  const path = deliver(root, { id: idOf('aaaa1111'), holder: 'legal', folder: 'cur' })
  t.equal((await penny(['settle', '1111', 'blocked', '--on', 'their-ref'], { cwd })).status, 0)
  t.match(values(path), { status: 'blocked', blocked_on: ['their-ref'] })
  t.equal((await penny(['settle', '1111', 'cancelled'], { cwd })).status, 77)
})

t.test('the operator names the mailbox with --agent', async (t) => {
  const root = organisation(t)
  deliver(root, { id: idOf('aaaa1111'), holder: 'legal', folder: 'new' })
  t.equal((await penny(['next', '--root', root])).status, 64)
  t.equal((await penny(['next', '--agent', 'nobody', '--root', root])).status, 66)
  t.equal((await penny(['next', '--agent', 'legal', '--root', root])).status, 0)
})

t.test('reply answers the sender as a note of the same conversation, and can settle', async (t) => {
  const root = organisation(t)
  const id = idOf('aaaa1111')
  deliver(root, { id, holder: 'legal', folder: 'cur', head: { subject: '"A: question"' } })
  const reply = await penny(['reply', '1111', '--settles', 'done', '-m', 'The answer', '--agent', 'legal', '--root', root])
  t.equal(reply.status, 0, reply.err)
  const [name = ''] = readdirSync(`${root}/workspaces/legal/outbox`).filter((one) => one.endsWith('.md'))
  t.match(values(`${root}/workspaces/legal/outbox/${name}`), { to: 'pmo', kind: 'note', in_reply_to: id, settles: 'done', subject: 'Re: A: question' })
  const notMine = await penny(['reply', '1111', '-m', 'x', '--root', root])
  t.equal(notMine.status, 77)
  t.match(notMine.err, /--agent legal/)
  t.equal((await penny(['reply', '1111', '--settles', 'doen', '-m', 'x', '--root', root])).status, 64)
})
