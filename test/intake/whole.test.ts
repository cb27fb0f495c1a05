import { appendFileSync, closeSync, linkSync, mkdirSync, openSync, renameSync, rmSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'
import t from 'tap'
import { door } from './door.ts'

t.test('a writer that pauses is never overtaken, however long; its file comes when it closes', async (t) => {
  const { root, taken, say, settle, pass } = await door(t.testdir())
  const fd = openSync(`${root}/spool/a.md`, 'w')
  writeSync(fd, 'first half, ')
  say('spool', 'a.md')
  await settle()
  await pass(3_600_000 / 100)
  t.same(taken, [])
  writeSync(fd, 'second half')
  closeSync(fd)
  say('spool', 'a.md')
  await settle()
  t.same(taken, ['spool/a.md: first half, second half'])
})

t.test('a script that appends line by line closes the file each time: it is left alone for a moment after each', async (t) => {
  const { root, clock, taken, say, settle } = await door(t.testdir())
  for (const line of ['a', 'b', 'c']) {
    appendFileSync(`${root}/spool/a.md`, line)
    say('spool', 'a.md', true)
    await settle()
    clock.turn(5)
    await settle()
  }
  t.same(taken, [])
  clock.turn(20)
  await settle()
  t.same(taken, ['spool/a.md: abc'])
})

t.test('an event that was lost costs a sweep, not a message', async (t) => {
  const { root, taken, pass } = await door(t.testdir())
  writeFileSync(`${root}/spool/a.md`, 'a')
  await pass(1_000)
  t.same(taken, ['spool/a.md: a'])
})

t.test('the same name dropped again while the first is on its way is another drop', async (t) => {
  const { root, taken, say, settle, fate } = await door(t.testdir())
  let go = (): void => undefined
  const usual = fate.of
  fate.of = async (one) => {
    const result = await usual(one)
    await new Promise<void>((resolve) => (go = resolve))
    return result
  }
  writeFileSync(`${root}/spool/a.md`, 'one')
  say('spool', 'a.md')
  await settle()
  writeFileSync(`${root}/spool/a.md`, 'two')
  say('spool', 'a.md')
  fate.of = usual
  go()
  await settle()
  t.same(taken, ['spool/a.md: one', 'spool/a.md: two'])
})

t.test('a change while a file is on its way is seen even if it is then put off for long', async (t) => {
  const { root, taken, say, settle, fate } = await door(t.testdir())
  const usual = fate.of
  let looks = 0
  fate.of = async (one) => {
    if (++looks > 1) return usual(one)
    writeFileSync(`${root}/.staged`, 'two')
    renameSync(`${root}/.staged`, `${root}/spool/a.md`)
    say('spool', 'a.md')
    return { againMs: 60_000 }
  }
  writeFileSync(`${root}/spool/a.md`, 'one')
  say('spool', 'a.md')
  await settle()
  t.same(taken, ['spool/a.md: two'])
})

t.test('a second name is forgiven for a moment (ln tmp final; rm tmp)', async (t) => {
  const { root, taken, refused, say, settle, pass } = await door(t.testdir())
  writeFileSync(`${root}/elsewhere`, 'a')
  linkSync(`${root}/elsewhere`, `${root}/spool/a.md`)
  linkSync(`${root}/elsewhere`, `${root}/spool/b.md`)
  say('spool', 'a.md')
  say('spool', 'b.md')
  await settle()
  t.same([...taken, ...refused], [])
  await pass(1_500)
  t.match(refused, [/a\.md: it has 3 names/, /b\.md: it has/])
  writeFileSync(`${root}/another`, 'c')
  linkSync(`${root}/another`, `${root}/spool/c.md`)
  say('spool', 'c.md')
  await settle()
  unlinkSync(`${root}/another`)
  await pass(1_000)
  t.same(taken, ['spool/c.md: c'])
})

t.test('one folder that is flooded does not starve the others', async (t) => {
  const { root, taken, clock, intake, settle } = await door(t.testdir(), ['spool', 'spool/legal'])
  for (let i = 0; i < 400; i++) writeFileSync(`${root}/spool/${i}.md`, 'x')
  writeFileSync(`${root}/spool/legal/mine.md`, 'x')
  intake.sweep(true)
  // Both were listed only just now.
  clock.turn(200)
  await settle()
  t.equal(taken.length, 401)
  t.ok(taken.indexOf('spool/legal/mine.md: x') < 40, `served as number ${taken.indexOf('spool/legal/mine.md: x')}`)
})

t.test('a folder that is taken away and made again is watched again', async (t) => {
  const { root, taken, say, settle, pass } = await door(t.testdir(), ['spool', 'workspaces/cfo/outbox'])
  const outbox = 'workspaces/cfo/outbox'
  rmSync(`${root}/${outbox}`, { recursive: true })
  say(outbox, 'outbox')
  await settle()
  writeFileSync(`${root}/.keep`, '')
  mkdirSync(`${root}/${outbox}`)
  writeFileSync(`${root}/${outbox}/a.md`, 'a')
  await pass(2_000)
  t.same(taken, [`${outbox}/a.md: a`])
  say(outbox, null)
  await settle()
})
