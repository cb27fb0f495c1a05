import { appendFileSync, chmodSync, closeSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { configOf } from '../config/organisation.ts'
import { office } from './office.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

t.test('a text that its holder let grow beyond every measure is never cut off', async (t) => {
  const { deliver, path, hint, raised, room } = await office(t)
  const mail = deliver()
  appendFileSync(path(mail), 'x'.repeat(4 * configOf().org.limits.messageBytes))
  const { size } = statSync(path(mail))
  t.match(await room.settle.set(mail.id, { due: '2030-01-01T00:00:00Z' }, 'operator'), { outcome: 'refused' })
  await hint(mail, 'new')
  t.equal(statSync(path(mail)).size, size)
  t.ok(raised.has('too-large'))
})

t.test('a hard link in the place of a message is set aside unread, and the message comes back', async (t) => {
  const { root, deliver, path, hint, raised, text, aside } = await office(t)
  const mail = deliver()
  const good = text(mail)
  writeFileSync(`${root}/secret`, 'SECRET\n')
  unlinkSync(path(mail))
  linkSync(`${root}/secret`, path(mail))
  await hint(mail, 'new')
  for (let i = 0; i < 40 && !raised.has('unsafe-file'); i++) await pause(50)
  await hint(mail, 'new')
  t.ok(raised.has('unsafe-file'))
  t.match(text(mail), good.slice(0, 40))
  t.same(aside(mail), ['SECRET\n'], 'the link itself was moved')
  t.equal(readFileSync(`${root}/secret`, 'utf8'), 'SECRET\n')
})

t.test('an editor that saves by a link and takes the old name away is waited for', async (t) => {
  const { root, deliver, path, hint, raised, text, where, save } = await office(t)
  const mail = deliver()
  save(mail, 'new', text(mail).replace('status: open', 'status: in_progress'))
  linkSync(path(mail), `${root}/workspaces/legal/backup`)
  await hint(mail, 'new')
  t.equal(where(mail), 'new in_progress')
  unlinkSync(`${root}/workspaces/legal/backup`)
  for (let i = 0; i < 20 && where(mail) !== 'cur in_progress'; i++) await pause(50)
  t.equal(where(mail), 'cur in_progress')
  t.notOk(raised.has('unsafe-file'))
})

t.test('who spoils a message in a loop has the last texts kept, not all of them, and one letter', async (t) => {
  const { deliver, hint, raised, text, aside, save, letters } = await office(t)
  const mail = deliver()
  for (let i = 0; i < 12; i++) {
    save(mail, 'new', text(mail).replace('status: open', `status: open\nstatus: open\nx-try: ${i}`))
    await hint(mail, 'new')
    t.match(text(mail), /^status: open$/m)
  }
  t.ok(raised.has('bad-front-matter'))
  const kept = aside(mail)
  t.equal(kept.length, 8)
  t.ok(kept.some((one) => one.includes('x-try: 11')))
  t.notOk(kept.some((one) => one.includes('x-try: 3\n')))
  // two where the ten minutes end in between
  t.ok(new Set(letters.map(({ key }) => key)).size <= 2)
})

t.test('while the disk refuses to mend a spoiled message, its text stays where it is and what was kept before is not given up for copies of it', async (t) => {
  let full: 'swap' | 'after' | undefined
  const refuse = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  const { deliver, save, hint, ask, text, aside } = await office(t, (disk) => ({
    ...disk,
    exchange: (one, other) => {
      if (full === 'swap') refuse()
      disk.exchange(one, other)
      if (full === 'after') refuse()
    },
  }))
  const mail = deliver()
  const good = text(mail)
  const spoiled = (word: string): string => good.replace('kind:', `${word}: [`)
  save(mail, 'new', spoiled('first'))
  await hint(mail, 'new')
  t.same(aside(mail), [spoiled('first')])
  full = 'swap'
  save(mail, 'new', spoiled('second'))
  for (let i = 0; i < 12; i++) await t.rejects(ask(mail, 'done', 'holder'), { code: 'ENOSPC' })
  t.equal(text(mail), spoiled('second'))
  t.same(aside(mail), [spoiled('first')])
  full = 'after'
  await t.rejects(ask(mail, 'done', 'holder'), { code: 'ENOSPC' })
  t.match(text(mail), 'kind: task')
  t.same(aside(mail).sort(), [spoiled('first'), spoiled('second')], 'where the good one is in its place, the copy is all there is')
})

t.test('a message whose holder takes the right to read it away is readable again', async (t) => {
  const { root, deliver, path, hint, where, save, text } = await office(t)
  const mail = deliver()
  writeFileSync(`${root}/outside`, 'not mail\n', { mode: 0o600 })
  chmodSync(path(mail), 0)
  await hint(mail, 'new')
  t.equal(statSync(path(mail)).mode & 0o440, 0o440)
  save(mail, 'new', text(mail).replace('status: open', 'status: in_progress'))
  chmodSync(path(mail), 0o200)
  await hint(mail, 'new')
  t.equal(where(mail), 'cur in_progress', 'what it wrote counts')
  t.equal(statSync(path(mail, 'cur')).mode & 0o440, 0o440)
  unlinkSync(path(mail, 'cur'))
  linkSync(`${root}/outside`, path(mail, 'cur'))
  await hint(mail, 'cur')
  t.equal(statSync(`${root}/outside`).mode & 0o777, 0o600, "another's file stays as it is")
})

t.test('a message that its holder keeps open is looked at as often as ever, whatever its holder does to it meanwhile', async (t) => {
  let looks = 0
  const { deliver, path, room } = await office(t, (disk) => ({
    ...disk,
    openRead: (file) => {
      if (String(file).endsWith('.md')) looks++
      return disk.openRead(file)
    },
  }))
  const mail = deliver()
  const fd = openSync(path(mail), 'r+')
  try {
    for (let i = 0; i < 50; i++) {
      appendFileSync(fd, 'x')
      room.settle.touched(mail.holder, 'new', mail.file)
      await pause(5)
    }
    looks = 0
    await pause(400)
    t.ok(looks >= 3 && looks <= 20, `${looks} times in 400 ms`)
  } finally {
    closeSync(fd)
  }
})
