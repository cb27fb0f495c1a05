import { mkdirSync, readdirSync, rmSync, symlinkSync, unlinkSync } from 'node:fs'
import t from 'tap'
import type { Disk } from '../../src/system/types.ts'
import { office } from './office.ts'

/** The process dies at the given exchange; right before the first one somebody does something. */
function dyingAtExchange(at: number, before: () => void) {
  const died = new Error('killed here')
  let count = 0
  const between = (disk: Disk): Disk => ({
    ...disk,
    exchange: (a, b) => {
      count++
      if (count === 1) before()
      if (count === at) throw died
      disk.exchange(a, b)
    },
    // A dead process cleans nothing up either.
    unlink: (path) => {
      if (count !== at) disk.unlink(path)
    },
  })
  const revive = (): void => {
    count = at + 1
  }
  return { between, died, revive }
}

t.test('what a holder saved between the two exchanges of a daemon that was killed there is kept and told', async (t) => {
  let race = (): void => undefined
  const { between, died, revive } = dyingAtExchange(2, () => race())
  const { root, room, deliver, text, save, raised, aside } = await office(t, between)
  const mail = deliver()
  const theirs = text(mail).replace('body', 'my own words')
  race = () => save(mail, 'new', theirs)
  await t.rejects(room.settle.set(mail.id, { due: '2030-01-01T00:00:00Z' }, 'cfo'), died)
  t.equal(readdirSync(`${root}/.penny/staging`).length, 1)
  revive()
  room.recover()
  t.same(aside(mail), [theirs])
  t.match(raised.get('status-conflict'), { about: mail.id, agent: 'legal' })
  t.same(readdirSync(`${root}/.penny/staging`), [])
})

t.test('a new version that was not put in its place yet is no text of the holder', async (t) => {
  const { between, died, revive } = dyingAtExchange(1, () => undefined)
  const { root, room, deliver, raised, aside } = await office(t, between)
  const mail = deliver()
  await t.rejects(room.settle.set(mail.id, { due: '2030-01-01T00:00:00Z' }, 'cfo'), died)
  t.equal(readdirSync(`${root}/.penny/staging`).length, 1)
  revive()
  room.recover()
  t.same(aside(mail), [])
  t.same([...raised], [])
  t.same(readdirSync(`${root}/.penny/staging`), [])
})

for (const [what, put] of [
  ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
  ['a folder', (path: string) => mkdirSync(path)],
] as const) {
  t.test(`${what} that was caught there is kept too, unopened`, async (t) => {
    let race = (): void => undefined
    const { between, died, revive } = dyingAtExchange(2, () => race())
    const { root, room, deliver, path, raised } = await office(t, between)
    const mail = deliver()
    race = () => {
      unlinkSync(path(mail))
      put(path(mail))
    }
    await t.rejects(room.settle.set(mail.id, { due: '2030-01-01T00:00:00Z' }, 'cfo'), died)
    revive()
    room.recover()
    t.match(readdirSync(`${root}/workspaces/legal/attachments/${mail.id}`), [/^late-/])
    t.ok(raised.has('status-conflict'))
    t.same(readdirSync(`${root}/.penny/staging`), [])
    rmSync(`${root}/workspaces/legal/attachments/${mail.id}`, { recursive: true })
  })
}
