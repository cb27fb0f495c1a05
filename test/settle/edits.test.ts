import { execFile } from 'node:child_process'
import { closeSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import t from 'tap'
import { office } from './office.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

t.test('an edit made from an older version says nothing of the status', async (t) => {
  const { deliver, where, text, save, hint, ask, raised } = await office(t)
  const mail = deliver()
  const opened = text(mail)
  await ask(mail, 'in_progress', 'holder')
  save(mail, 'cur', opened.replace('status: open', 'status: open\nprogress: half'))
  await hint(mail, 'cur')
  t.equal(where(mail), 'cur in_progress')
  t.match(text(mail), /progress: half/)
  t.same([...raised], [])
})

t.test('what a holder may not change is put back, what it may stays, comments and body too', async (t) => {
  const { deliver, text, save, hint, raised } = await office(t)
  const mail = deliver({}, 'the body\r\nno end')
  save(
    mail,
    'new',
    text(mail)
      .replace('subject: Review', 'subject: Hacked')
      .replace('priority: normal', 'priority: low\nprogress: half\nx-mine: 1')
      .replace('the body', 'my body'),
  )
  await hint(mail, 'new')
  t.ok(raised.has('tampered'))
  t.match(text(mail), /^to: legal # the counsel\nsubject: Review\npriority: normal$/m)
  t.match(text(mail), /^progress: half$/m)
  t.match(text(mail), /^x-mine: 1$/m)
  t.ok(text(mail).endsWith('---\nmy body\r\nno end'))
})

t.test("front matter that does not parse is put back, the holder's text kept, the holder told", async (t) => {
  const { deliver, where, text, save, hint, raised, aside, letters } = await office(t)
  const mail = deliver()
  const broken = text(mail).replace('status: open', 'status: done\nresult: Done: see x')
  save(mail, 'new', broken)
  await hint(mail, 'new')
  t.equal(where(mail), 'new open')
  t.same(aside(mail), [broken])
  t.ok(raised.has('bad-front-matter'))
  t.match(letters, [{ to: 'legal', kind: 'bounce', inReplyTo: mail.id }])
})

t.test('an empty file may be a save that goes on: it has five seconds', async (t) => {
  const { deliver, where, text, save, hint, raised } = await office(t)
  const mail = deliver()
  const whole = text(mail)
  save(mail, 'new', '')
  await hint(mail, 'new')
  t.equal(raised.size, 0)
  save(mail, 'new', whole.replace('status: open', 'status: done'))
  await hint(mail, 'new')
  t.equal(where(mail), 'done done')
})

t.test('a message that vanished is put back, within five seconds', async (t) => {
  const { deliver, where, path, hint, raised } = await office(t)
  const mail = deliver()
  unlinkSync(path(mail))
  await hint(mail, 'new')
  t.equal(where(mail), 'nowhere', 'an editor may be saving it')
  for (let i = 0; i < 50 && where(mail) === 'nowhere'; i++) await pause(100)
  t.equal(where(mail), 'new open')
  t.ok(raised.has('missing-message'))
})

t.test('who asks for a change while an editor has the file away waits for it', async (t) => {
  const { deliver, where, path, ask, raised } = await office(t)
  const mail = deliver()
  renameSync(path(mail), `${path(mail)}~`)
  const asking = ask(mail, 'cancelled', 'sender')
  await pause(100)
  renameSync(`${path(mail)}~`, path(mail))
  t.match(await asking, { outcome: 'changed' })
  t.equal(where(mail), 'done cancelled')
  t.same([...raised], [])
})

t.test('a mailbox that was swapped for an empty one is noticed, and its messages come back', async (t) => {
  const { root, deliver, where, room, hint } = await office(t)
  const mail = deliver()
  await hint(mail, 'new')
  room.mailboxes.setHolders([mail.holder])
  renameSync(`${root}/workspaces/legal/new`, `${root}/workspaces/legal/away`)
  mkdirSync(`${root}/workspaces/legal/new`)
  for (let i = 0; i < 60 && where(mail) === 'nowhere'; i++) {
    await room.sweep(false)
    await pause(100)
  }
  t.equal(where(mail), 'new open')
  room.mailboxes.stop()
})

t.test('a stale copy that only adds is merged', async (t) => {
  const { deliver, where, path, text, hint, raised } = await office(t)
  const mail = deliver({}, 'one\ntwo\n')
  const opened = text(mail)
  renameSync(path(mail), path(mail, 'cur'))
  await hint(mail, 'cur')
  writeFileSync(path(mail, 'new'), opened.replace('status: open', 'status: open\nprogress: half').replace('two', 'and a half\ntwo'))
  await hint(mail, 'new')
  t.equal(where(mail), 'cur in_progress')
  t.match(text(mail), /progress: half/)
  t.ok(text(mail).endsWith('one\nand a half\ntwo\n'))
  t.same([...raised], [])
})

t.test('a stale copy that takes something away, or decides something, is kept aside and told', async (t) => {
  const changes: Record<string, (text: string) => string> = {
    'a line less': (text) => text.replace('two\n', ''),
    'an older progress': (text) => text.replace('status: open', 'status: open\nprogress: begun'),
    'a decision': (text) => text.replace('status: open', 'status: done'),
  }
  for (const [how, change] of Object.entries(changes)) {
    const { deliver, where, path, text, save, hint, raised, aside } = await office(t)
    const mail = deliver({}, 'one\ntwo\n')
    const opened = text(mail)
    renameSync(path(mail), path(mail, 'cur'))
    await hint(mail, 'cur')
    save(mail, 'cur', text(mail).replace('status:', 'progress: nearly\nstatus:'))
    await hint(mail, 'cur')
    writeFileSync(path(mail, 'new'), change(opened))
    await hint(mail, 'new')
    t.equal(where(mail), 'cur in_progress', how)
    t.match(text(mail), /progress: nearly/)
    t.same(aside(mail), [change(opened)])
    t.ok(raised.has('status-conflict'))
  }
})

t.test('one file under two names is one message again', async (t) => {
  const { deliver, where, path, hint } = await office(t)
  const mail = deliver()
  linkSync(path(mail), path(mail, 'cur'))
  await hint(mail, 'cur')
  t.match(where(mail), /^new open$/)
})

t.test('while its holder writes, a message is left alone; then what was written counts', async (t) => {
  const { deliver, where, path, text, ask } = await office(t)
  const mail = deliver()
  const whole = text(mail).replace('status: open', 'status: blocked')
  const fd = openSync(path(mail), 'r+')
  const asking = ask(mail, 'cancelled', 'sender')
  await pause(120)
  t.match(readFileSync(path(mail), 'utf8'), /status: open/)
  writeSync(fd, whole)
  closeSync(fd)
  t.match(await asking, { outcome: 'changed' })
  t.equal(where(mail), 'done cancelled')
})

t.test('replaced by sed -i at full speed while the daemon changes it too, no edit is lost', async (t) => {
  const { deliver, path, text, hint, aside, room } = await office(t)
  const mail = deliver()
  const lines = Array.from({ length: 150 }, (_, i) => `line ${i}.`)
  let over = false
  const seds = promisify(execFile)('sh', ['-c', 'for i in $(seq 0 149); do sed -i "$ a line $i." "$0" || exit 1; done', path(mail)]).finally(() => {
    over = true
  })
  for (let i = 0; !over; i++) {
    await room.settle.set(mail.id, { due: new Date(i * 1_000).toISOString() }, 'cfo')
    await pause(3)
  }
  await seds
  await hint(mail, 'new')
  const kept = [text(mail), ...aside(mail)].flatMap((one) => one.split('\n'))
  t.same(
    lines.filter((line) => !kept.includes(line)),
    [],
  )
})
