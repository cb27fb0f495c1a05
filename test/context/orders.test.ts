import t from 'tap'
import { readOrder } from '../../src/context/index.ts'
import { realDisk } from '../../src/system/disk.ts'
import { chooseLease } from '../../src/system/lease.ts'
import type { Disk } from '../../src/system/types.ts'
import { ground, ID, LEGAL, OTHER, START_MS } from './ground.ts'

const HIGH = 'context-high legal/s-1'
const MISSING = 'checkpoint-missing legal/s-1'
const FILE = 's-1.context.json'
const DAY_MS = 86_400_000

t.test('at 70 percent people are told; at 80 the holder, once, by a note about the message and a file for hooks', async (t) => {
  const { told, alerts, raised, letters, files, read, clock, soon, orders } = ground(t)
  told(710, [70])
  t.same([alerts(), letters, files()], [[HIGH], [], []])
  t.match(raised.get(HIGH)?.sentence, `legal, at work on ${ID}, is 71 % full (710 of 1,000 tokens); at 80 %`)
  await clock.turn(60_000)
  told(810, [80])
  await soon()
  t.match(letters, [{ from: 'pennypost', to: 'legal', kind: 'note', inReplyTo: ID, priority: 'normal' }])
  t.match(letters[0]?.body, /"Review" .* is 81 % full/)
  for (const word of ['progress:', `../cur/3-normal.${ID}.review.md`, 'checkpoint.md', 'what is done', 'decided and why', 'constraints', 'what is next'])
    t.match(letters[0]?.body, word)
  t.match(readOrder(read(FILE)), { message: ID, session: 's-1', ordered: new Date(START_MS + 60_000).toISOString(), passed: 80, usedTokens: 810 })
  told(930, [92])
  orders().look()
  await soon()
  t.equal(letters.length, 1)
  t.match(readOrder(read(FILE)), { ordered: new Date(START_MS + 60_000).toISOString(), passed: 92 })
})

t.test('both marks at once are one order', async (t) => {
  const { told, alerts, letters, soon } = ground(t)
  told(990, [70, 80, 92])
  await soon()
  t.equal(letters.length, 1)
  t.same(alerts(), [HIGH], 'nobody could have written anything yet')
})

t.test('a checkpoint that is not there at 92 percent is told, once; one that is older than the order is none', async (t) => {
  const { told, alerts, raised, write, clock } = ground(t)
  write('of yesterday', -DAY_MS)
  told(810, [70, 80])
  await clock.turn(1_000)
  told(920, [92])
  t.same(alerts(), [MISSING, HIGH])
  t.match(raised.get(MISSING)?.sentence, /was not written since it was told to/)
  raised.delete(MISSING)
  told(0, [], { isNew: true })
  t.same(alerts(), [], 'not told again, and the context begins anew')
})

t.test('so is one that is not there when the context is compacted; one that is newer than the order is enough', async (t) => {
  const late = ground(t)
  late.told(810, [70, 80])
  late.write('', 1_000)
  late.told(20, [], { isNew: true })
  t.same(late.alerts(), [MISSING], 'an empty one is none')
  t.same(late.files(), [])

  const good = ground(t)
  good.told(810, [70, 80])
  good.write('sections 1-7 are done', 1_000)
  t.same(good.orders().fulfilledBy('legal' as never), [ID])
  good.told(930, [92])
  good.told(20, [], { isNew: true })
  t.same([good.alerts(), good.files()], [[], []])
  await good.clock.turn(2_000)
  good.told(850, [70, 80])
  await good.soon()
  t.equal(good.letters.length, 2, 'the next context has an order of its own')
})

t.test('a checkpoint that was written in the moment of its order is enough: the answer that passed the mark may have been it', async (t) => {
  const { told, alerts, write, orders } = ground(t)
  write('sections 1-7 are done', -100)
  told(810, [70, 80])
  t.same(orders().fulfilledBy('legal' as never), [ID])
  told(20, [], { isNew: true })
  t.same(alerts(), [])
})

t.test('its note is put away when the checkpoint is there, when the context is over, and with its message; not what its holder has in hand', async (t) => {
  const written = ground(t)
  written.told(810, [70, 80])
  await written.soon()
  written.orders().look()
  t.same(written.putAway, [])
  written.write('sections 1-7 are done', 1_000)
  written.restart()
  written.orders().look()
  written.orders().look()
  t.equal(written.putAway.length, 1)

  const over = ground(t)
  over.told(810, [70, 80])
  await over.soon()
  over.told(20, [], { isNew: true })
  t.equal(over.putAway.length, 1)

  const settled = ground(t)
  settled.told(810, [70, 80])
  await settled.soon()
  settled.post.broken = true
  settled.orders().settled(ID)
  await settled.soon()
  t.same([settled.putAway, settled.logged], [[], ['an order that is done could not be put away yet']])
  settled.post.broken = false
  settled.orders().look()
  t.equal(settled.putAway.length, 1, 'what was refused is done again')

  const late = ground(t)
  late.told(810, [70, 80])
  late.orders().settled(ID)
  await late.soon()
  t.equal(late.putAway.length, 1, 'also one that was under way then')

  const taken = ground(t)
  taken.told(810, [70, 80])
  await taken.soon()
  const [, , [note, mail] = []] = taken.mails
  if (note && mail) taken.mails.set(note, { ...mail, folder: 'cur' })
  taken.orders().settled(ID)
  t.same(taken.putAway, [])
})

t.test('an order ends with its message', async (t) => {
  const { told, alerts, files, orders, mails } = ground(t)
  told(810, [70, 80])
  orders().settled(OTHER)
  t.same(files(), [FILE])
  orders().settled(ID)
  t.same([alerts(), files()], [[], []])
  told(810, [70, 80])
  mails.delete(ID)
  orders().look()
  t.same([alerts(), files()], [[], []], 'also where nobody said that it was settled')
})

t.test('a restart changes nothing: neither the order nor what is told', async (t) => {
  const { told, alerts, letters, orders, restart, soon, raised, read, clock } = ground(t)
  told(810, [70, 80])
  await soon()
  const before = read(FILE)
  restart()
  orders().look()
  await soon()
  t.same([letters.length, alerts()], [1, [HIGH]])
  await clock.turn(5_000)
  // The gateway begins to count again with what it hears next.
  told(830, [70, 80])
  await soon()
  t.equal(letters.length, 1)
  t.equal(readOrder(read(FILE))?.ordered, readOrder(before)?.ordered)
  told(940, [92])
  t.ok(raised.has(MISSING))
  // Less full than when it was ordered: compacted, and nobody noticed.
  restart()
  told(720, [70])
  t.same(
    orders()
      .all()
      .map(({ passed, orderedMs }) => [passed, orderedMs]),
    [[70, undefined]],
  )
})

t.test('what the disk or the mail refuses is done with the next look', async (t) => {
  const { told, orders, files, logged, letters, post, soon } = ground(t)
  post.broken = true
  told(810, [70, 80])
  await soon()
  t.same([letters, files(), logged], [[], [FILE], ['an order to write a checkpoint could not be sent yet']])
  post.broken = false
  orders().look()
  await soon()
  orders().look()
  await soon()
  t.equal(letters.length, 1)
})

t.test('a session without a message is told of the file alone, and forgotten after a day', async (t) => {
  const { told, letters, alerts, orders, soon, clock, files } = ground(t)
  told(810, [70, 80], { message: undefined })
  told(810, [70, 80], { message: 'no id', session: 's-2' })
  told(810, [70, 80], { message: undefined, session: undefined })
  told(810, [70, 80], { session: '../../x' })
  await soon()
  t.same(
    letters.map(({ inReplyTo }) => inReplyTo),
    [undefined, undefined],
  )
  t.notMatch(letters[0]?.body, /progress/)
  t.same(files(), [FILE, 's-2.context.json'])
  t.equal(alerts().length, 2)
  await clock.leap(DAY_MS + 1)
  orders().look()
  t.same([files(), alerts()], [[], []])
})

t.test('sessions that an agent makes up are bounded', async (t) => {
  const { told, files, alerts, clock } = ground(t)
  for (let n = 0; n < 100; n++) {
    told(810, [70, 80], { session: `made-up-${n}` })
    clock.step(1)
  }
  t.equal(files().length, 32)
  t.equal(alerts().length, 32)
})

t.test('a home that its agent has locked, or whose disk fails, is one without a checkpoint: what is told of it is still told', async (t) => {
  for (const code of ['EACCES', 'EIO']) {
    let isRefused = false
    const disk = realDisk(undefined, chooseLease(undefined, t.testdirName))
    const stat: Disk['stat'] = (path) => {
      if (isRefused && String(path).endsWith('/checkpoint.md')) throw Object.assign(new Error(code), { code })
      return disk.stat(path)
    }
    const { told, alerts, write, logged, letters, orders, versions, soon } = ground(t, { stat })
    told(810, [70, 80])
    write('sections 1-7 are done', 1_000)
    isRefused = true
    told(930, [92])
    t.same(alerts(), [MISSING, HIGH], code)
    orders().look()
    await soon()
    t.equal(letters.length, 1)
    t.same(orders().fulfilledBy(LEGAL), [])
    if (code === 'EACCES') t.equal(versions.look(LEGAL), undefined)
    t.equal(logged.length > 0, code === 'EIO', 'whoever locks it does not fill the log')
    told(20, [], { isNew: true })
    t.same(alerts(), [MISSING])
  }
})
