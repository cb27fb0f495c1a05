import { copyFileSync, existsSync, readdirSync, renameSync } from 'node:fs'
import t from 'tap'
import type { Disk } from '../../src/system/types.ts'
import { office } from './office.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

t.test('a withdrawal for which the holder left no moment leaves nothing behind by which a holder could withdraw', async (t) => {
  let race: (() => void) | undefined
  const between = (disk: Disk): Disk => ({
    ...disk,
    exchange: (a, b) => {
      race?.()
      disk.exchange(a, b)
    },
  })
  const { root, deliver, ask, text, save, hint, raised, where } = await office(t, between)
  const mail = deliver()
  const marker = `${root}/.penny/said/withdrawn.${mail.id}`
  const was = text(mail)
  let rounds = 0
  // Saved anew whenever the daemon is about to put its version there.
  race = () => {
    if (existsSync(marker)) rounds++
    save(mail, 'new', was)
  }
  t.match(await ask(mail, 'cancelled', 'sender'), { outcome: 'busy' })
  race = undefined
  t.ok(rounds > 1, `it was tried ${rounds} times`)
  t.same(readdirSync(`${root}/.penny/said`), [])
  save(mail, 'new', text(mail).replace('status: open', 'status: cancelled'))
  await hint(mail, 'new')
  t.equal(where(mail), 'new open', 'what the holder writes is not taken for the withdrawal')
  t.ok(raised.has('status-conflict'))
})

t.test('of many settled messages that a holder moves at once each is put back, though nothing else happens', async (t) => {
  const { deliver, ask, path, room, where } = await office(t)
  const mails = Array.from({ length: 40 }, () => deliver())
  for (const mail of mails) t.match(await ask(mail, 'done', 'holder'), { outcome: 'changed' })
  for (const mail of mails) {
    renameSync(path(mail, 'done'), path(mail, 'new'))
    room.settle.touched(mail.holder, 'new', mail.file)
  }
  const left = (): typeof mails => mails.filter((mail) => where(mail) !== 'done done')
  // So many are looked up in one moment. Those whose turn is next are not there any more when it comes: the rest must not wait for ever.
  for (let i = 0; i < 500 && left().length > mails.length - 16; i++) await pause(10)
  for (const mail of left().slice(0, 16)) renameSync(path(mail, 'new'), path(mail, 'done'))
  for (let i = 0; i < 200 && left().length > 0; i++) await pause(50)
  t.same(left(), [])
})

t.test("a copy of a settled message elsewhere is set aside, and the sender's mirror stays", async (t) => {
  const { deliver, ask, path, text, save, hint, where, aside, mirror, raised } = await office(t)
  const mail = deliver()
  t.match(await ask(mail, 'done', 'holder'), { outcome: 'changed' })
  const settled = text(mail)
  t.equal(mirror(mail), settled)
  copyFileSync(path(mail, 'done'), path(mail, 'cur'))
  const copy = settled.replace('status: done', 'status: failed').replace('body', 'another')
  save(mail, 'cur', copy)
  await hint(mail, 'cur')
  t.equal(where(mail), 'done done')
  t.same([text(mail), mirror(mail)], [settled, settled])
  t.same(aside(mail), [copy])
  t.match(raised.get('status-conflict'), { about: mail.id, agent: 'legal' })
})
