import { readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import t from 'tap'
import { office } from './office.ts'

t.test("the sender's mirror follows status, result and progress; a missing folder is made again", async (t) => {
  const { root, deliver, text, save, hint, mirror, room } = await office(t)
  const mail = deliver()
  save(mail, 'new', text(mail).replace('status: open', 'status: in_progress\nprogress: half'))
  await hint(mail, 'new')
  t.match(mirror(mail), /status: in_progress\nprogress: half/)
  rmSync(`${root}/workspaces/cfo/sent`, { recursive: true })
  save(mail, 'cur', text(mail).replace('status: in_progress', 'status: done\nresult: signed'))
  await hint(mail, 'cur')
  room.mirror.flush()
  t.match(mirror(mail), /status: done\nresult: signed/)
})

t.test('a task blocked on messages opens when the last of them is settled; text alone never resolves', async (t) => {
  const { deliver, where, text, save, hint, ask, room } = await office(t)
  const [first, second, waiting, reason] = [deliver(), deliver(), deliver(), deliver()]
  save(waiting, 'new', text(waiting).replace('status: open', `status: blocked\nblocked_on: [${first.id}, ${second.id}]`))
  save(reason, 'new', text(reason).replace('status: open', 'status: blocked\nblocked_on: the weather'))
  await hint(waiting, 'new')
  await hint(reason, 'new')
  await ask(first, 'done', 'holder')
  await room.settle.idle()
  t.equal(where(waiting), 'cur blocked')
  await ask(second, 'failed', 'holder')
  await room.settle.idle()
  t.equal(where(waiting), 'new open')
  t.equal(where(reason), 'cur blocked')
})

t.test('priority and due are set in the text, in the name and in the mirror', async (t) => {
  const { deliver, text, hint, raised, mirror, room } = await office(t)
  const mail = deliver()
  await room.settle.set(mail.id, { priority: { name: 'urgent', rank: 1 }, due: '2030-01-01T00:00:00Z' }, 'operator')
  await hint(mail, 'new')
  t.match(text(mail), /^priority: urgent$/m)
  t.match(mail.file, /^1-urgent\./)
  t.match(readdirSync(mail.folder === 'new' ? `${t.testdirName}/workspaces/legal/new` : ''), [mail.file])
  t.match(mirror(mail), /^due: "?2030-01-01T00:00:00Z/m)
  t.equal(readdirSync(`${t.testdirName}/workspaces/cfo/sent`).length, 1)
  t.same([...raised], [])
})

t.test('settled mail of past months is put away by month; a link in the way harms nobody else', async (t) => {
  const { root, deliver, path, ask, room } = await office(t)
  const mail = deliver()
  await ask(mail, 'done', 'holder')
  utimesSync(path(mail, 'done'), new Date('2026-10-05T00:00:00Z'), new Date('2026-10-05T00:00:00Z'))
  const old = deliver()
  await ask(old, 'done', 'holder')
  utimesSync(path(old, 'done'), new Date('1990-05-05T00:00:00Z'), new Date('1990-05-05T00:00:00Z'))
  room.mailboxes.setHolders([mail.holder])
  await room.mailboxes.rollMonths()
  t.same(readdirSync(`${root}/workspaces/legal/done`).sort(), [old.file, '2026-10'].sort(), 'one of a time that cannot be stays where it is found')
  t.match(await ask(mail, 'open', 'sender'), { outcome: 'changed' })
  t.same(readdirSync(`${root}/workspaces/legal/done/2026-10`), [])
  renameSync(path(mail, 'new'), `${root}/workspaces/legal/done/2026-10/${mail.file}`)
  room.mailboxes.stop()
})
