import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Folder, folderOf, isSettled, mayChange, STATUSES, type Status } from '../../src/core/status.ts'
import { office } from './office.ts'

const UNSETTLED = STATUSES.filter((status) => !isSettled(status))

t.test('status written into the file: what the table allows moves it, the rest is undone and told', async (t) => {
  const { deliver, where, text, save, hint, raised, mirror } = await office(t)
  for (const was of UNSETTLED) {
    for (const to of STATUSES) {
      const mail = deliver({ status: was, folder: folderOf(was) })
      raised.clear()
      save(mail, mail.folder, text(mail).replace(`status: ${was}`, `status: ${to}`))
      await hint(mail, folderOf(was))
      const now = mayChange('holder', was, to) ? to : was
      t.equal(where(mail), `${folderOf(now)} ${now}`, `${was} → ${to}`)
      t.equal(raised.has('status-conflict'), now !== to)
      if (now !== was) t.match(mirror(mail), new RegExp(`^status: ${now}$`, 'm'))
    }
  }
})

t.test('a move: mv new/X cur/ claims, cur/X new/ releases, X done/ settles', async (t) => {
  const { deliver, where, path, hint, isKnown } = await office(t)
  const cases: [Status, Folder, string][] = [
    ['open', 'cur', 'cur in_progress'],
    ['open', 'done', 'done done'],
    ['in_progress', 'new', 'new open'],
    ['in_progress', 'done', 'done done'],
    ['blocked', 'new', 'new open'],
    ['blocked', 'done', 'done done'],
  ]
  for (const [was, folder, now] of cases) {
    const mail = deliver({ status: was, folder: folderOf(was) })
    renameSync(path(mail), path(mail, folder))
    await hint(mail, folder)
    t.equal(where(mail), now, `${was}, moved to ${folder}`)
    t.equal(isKnown(mail), folder !== 'done')
  }
})

t.test('both at once: the same is meant, or the front matter wins and it is told', async (t) => {
  const { deliver, where, path, text, save, hint, raised } = await office(t)
  const agreed = deliver()
  save(agreed, 'new', text(agreed).replace('status: open', 'status: blocked'))
  renameSync(path(agreed), path(agreed, 'cur'))
  await hint(agreed, 'cur')
  t.equal(where(agreed), 'cur blocked')
  t.notOk(raised.has('status-conflict'))
  const split = deliver()
  save(split, 'new', text(split).replace('status: open', 'status: done'))
  renameSync(path(split), path(split, 'cur'))
  await hint(split, 'cur')
  t.equal(where(split), 'done done')
  t.ok(raised.has('status-conflict'))
})

t.test('who asks: sender and postmaster withdraw and reopen, nobody else', async (t) => {
  const { deliver, where, ask, raised } = await office(t)
  for (const actor of ['sender', 'postmaster', 'holder'] as const) {
    const mail = deliver()
    const may = actor !== 'holder'
    t.match(await ask(mail, 'cancelled', actor), { outcome: may ? 'changed' : 'refused' })
    t.equal(where(mail), may ? 'done cancelled' : 'new open')
    if (!may) continue
    t.match(await ask(mail, 'in_progress', actor), { outcome: 'refused' })
    t.match(await ask(mail, 'open', actor), { outcome: 'changed' })
    t.equal(where(mail), 'new open')
  }
  t.same([...raised], [])
})

t.test('a holder that puts settled mail back is corrected, and it stays what it was', async (t) => {
  const { deliver, where, ask, path, text, save, hint, raised, room } = await office(t)
  for (const how of ['moved', 'edited']) {
    const mail = deliver()
    await ask(mail, 'cancelled', 'sender')
    raised.clear()
    if (how === 'moved') renameSync(path(mail, 'done'), path(mail, 'new'))
    else save(mail, 'done', text(mail).replace('status: cancelled', 'status: open'))
    room.settle.touched(mail.holder, how === 'moved' ? 'new' : 'done', mail.file)
    for (let i = 0; i < 50 && !raised.has('status-conflict'); i++) await hint(mail, 'done')
    t.equal(where(mail), 'done cancelled', how)
    t.ok(raised.has('status-conflict'))
  }
})

t.test('a note lies where its holder puts it; a status in it puts it away', async (t) => {
  const { deliver, where, path, text, save, hint, isKnown, raised } = await office(t)
  const moved = deliver({ kind: 'note', status: null })
  renameSync(path(moved), path(moved, 'cur'))
  await hint(moved, 'cur')
  t.equal(where(moved), 'cur -')
  const read = deliver({ kind: 'note', status: null })
  save(read, 'new', text(read).replace('kind: note', 'kind: note\nstatus: done'))
  await hint(read, 'new')
  t.equal(where(read), 'done -')
  t.notOk(isKnown(read))
  t.same([...raised], [])
})

t.test('a withdrawal that a killed daemon had begun is finished, not undone; one that the holder makes up is undone and told', async (t) => {
  const { root, deliver, where, text, save, hint, raised } = await office(t)
  const [begun, forged] = [deliver(), deliver()]
  for (const mail of [begun, forged]) {
    const later = new Date(Date.parse(mail.updated) + 5).toISOString()
    const cancelled = text(mail)
      .replace('status: open', 'status: cancelled')
      .replace(/updated: .*/, `updated: ${later}`)
    if (mail === begun) writeFileSync(`${root}/.penny/said/withdrawn.${mail.id}`, '')
    save(mail, 'new', cancelled)
    await hint(mail, 'new')
  }
  t.equal(where(begun), 'done cancelled')
  t.equal(where(forged), 'new open')
  t.same(
    [...raised.values()].map(({ code, about }) => [code, about]),
    [['status-conflict', forged.id]],
  )
  t.same(
    readdirSync(`${root}/.penny/said`).filter((name) => name.startsWith('withdrawn')),
    [],
  )
})

t.test('a word that is no status is told with those there are, and the alert closes once a status is set', async (t) => {
  const { deliver, where, text, save, hint, raised } = await office(t)
  const mail = deliver({ status: 'in_progress', folder: 'cur' })
  save(mail, 'cur', text(mail).replace('status: in_progress', 'status: doen'))
  await hint(mail, 'cur')
  t.equal(where(mail), 'cur in_progress')
  const told = raised.get('status-conflict')
  t.match(told?.sentence, /"doen" is no status \(did you mean done\?\); known: open, in_progress, blocked, done, failed, cancelled\. It stays in_progress\./)
  t.equal(told?.fix, `penny settle ${mail.id} done --agent ${mail.holder}`)
  save(mail, 'cur', text(mail).replace('status: in_progress', 'status: done'))
  await hint(mail, 'cur')
  t.equal(where(mail), 'done done')
  t.notOk(raised.has('status-conflict'), 'closed')
})
