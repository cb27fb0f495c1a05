import { existsSync, renameSync } from 'node:fs'
import t from 'tap'
import { pause, until } from '../e2e/files.ts'
import { office } from './office.ts'

const forge = (text: string): string => text.replace('from: cfo', 'from: ceo').replace('subject: Review', 'subject: pay 1M')

t.test('beyond the retention time what the journal tells is put back, and it is told that the rest is not known', async (t) => {
  const { deliver, text, save, hint, raised, expire, ask } = await office(t)
  for (const folder of ['new', 'cur', 'done'] as const) {
    const mail = deliver({ subject: 'Review', via: 'agent', thread: '01920000-0000-7000-8000-000000000001' as never })
    if (folder !== 'new') t.match(await ask(mail, folder === 'cur' ? 'in_progress' : 'done', 'holder'), { outcome: 'changed' })
    expire(mail)
    raised.clear()
    save(mail, folder, forge(text(mail)).replace('body', 'body and notes'))
    await hint(mail, folder)
    await until('put back', () => text(mail).includes('from: cfo') && raised.has('tampered'))
    t.match(text(mail), /^subject: Review$/m)
    t.match(text(mail), /body and notes/)
    t.match(raised.get('tampered')?.sentence, /past the retention time/)
    await hint(mail, folder)
    raised.clear()
    save(mail, folder, `${text(mail)}more notes\n`)
    await hint(mail, folder)
    await pause(100)
    t.notOk(raised.has('tampered'), 'the holder may go on with the body')
  }
})

t.test('what the journal does not tell of is told where its digest is known', async (t) => {
  const { deliver, text, save, hint, raised, expire } = await office(t)
  const mail = deliver({ subject: 'Review', via: 'agent' })
  save(mail, 'new', `${text(mail)}a note\n`)
  await hint(mail, 'new')
  expire(mail)
  raised.clear()
  save(mail, 'new', text(mail).replace('to: legal # the counsel', 'to: ceo'))
  await hint(mail, 'new')
  t.match(raised.get('tampered')?.sentence, /past the retention time/)
})

t.test('a settled message that no longer parses gets its last state back, and the text is kept', async (t) => {
  const { deliver, text, save, hint, raised, ask, where, aside } = await office(t)
  const mail = deliver()
  await ask(mail, 'done', 'holder')
  save(mail, 'done', text(mail).replace('subject: Review', 'subject: a: b: c'))
  await hint(mail, 'done')
  t.notOk(raised.has('bad-front-matter'), 'an editor may be in the middle of a save')
  await until('told', () => raised.has('bad-front-matter'))
  t.equal(where(mail), 'done done')
  t.match(text(mail), /^subject: Review$/m)
  t.match(aside(mail), [/a: b: c/])
})

t.test('a settled message under another name gets its own back', async (t) => {
  const { deliver, path, ask, room, raised, where } = await office(t)
  const mail = deliver()
  await ask(mail, 'done', 'holder')
  const other = path(mail, 'done').replace('3-normal', '1-urgent')
  renameSync(path(mail, 'done'), other)
  raised.clear()
  room.settle.touched(mail.holder, 'done', mail.file.replace('3-normal', '1-urgent'))
  await until('its own name', () => existsSync(path(mail, 'done')))
  t.equal(where(mail), 'done done')
  t.notOk(raised.has('status-conflict'))
})
