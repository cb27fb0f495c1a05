import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import type { Watch } from '../../src/system/types.ts'
import { alertOf, lettersIn, lettersOf, message } from '../e2e/files.ts'
import { MINUTE, SECOND, turnedHouse } from './turned.ts'

t.test('a kernel that allows no more watches: mail and claims are found all the same, and the alert lasts until every folder is watched', async (t) => {
  const { watch } = await realSystem(t.testdir(), 'error', () => undefined)
  const watched = new Set<string>()
  let most = 3
  const few: Watch = (folder, report) => {
    if (watched.size >= most) throw Object.assign(new Error('no space for another watch'), { code: 'ENOSPC' })
    const cancel = watch(folder, report)
    watched.add(folder)
    return () => {
      watched.delete(folder)
      cancel()
    }
  }
  const house = await turnedHouse(t, {}, { watch: few })
  await house.until('watch-limit', () => alertOf(house.root, 'watch-limit'))
  house.drop('spool/legal/unseen.md', message({ subject: 'unseen' }))
  const letter = await house.until('it', () => lettersOf(house.root, 'legal')[0], 3 * SECOND)
  t.notOk(watched.has(house.at('workspaces/legal/new')))
  await house.pass(2 * MINUTE, 10 * SECOND)
  t.ok(alertOf(house.root, 'watch-limit'), 'it lasts as long as its cause')
  most = 6
  await house.pass(2 * MINUTE, 10 * SECOND)
  t.equal(watched.size, most, 'what is allowed is used')
  t.ok(alertOf(house.root, 'watch-limit'), 'some folders are still not watched')
  most = 1_000
  await house.until('it closes', () => !alertOf(house.root, 'watch-limit'), 2 * MINUTE)
  for (const folder of ['spool', 'spool/legal', 'workspaces/legal/outbox', 'workspaces/legal/new', 'workspaces/legal/cur'])
    t.ok(watched.has(house.at(folder)), `${folder} is watched now`)
  t.equal(letter.folder, 'new')
})

t.test('a disk that is nearly full holds up mail and the canary, which says so after five seconds; with room both come through', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let room = true
  const house = await turnedHouse(t, {}, { disk: { ...disk, free: (path) => ({ ...disk.free(path), ...(room ? {} : { bytes: 1_000_000 }) }) } })
  await house.pass(30 * SECOND, SECOND)
  t.notOk(alertOf(house.root, 'canary-late'))
  const fly = async () => house.house().daemon.verbs.canary({ verb: 'canary' }, () => undefined, new AbortController().signal)
  let flown: object | undefined
  fly().then(
    (told) => (flown = told),
    (cause: unknown) => t.error(cause),
  )
  t.match(await house.until('a flight', () => flown), { steps: [{ step: 'dropped' }, { step: 'noticed' }, { step: 'delivered' }] })
  room = false
  await house.until('disk-full', () => alertOf(house.root, 'disk-full'))
  house.drop('spool/legal/waits.md', message({ subject: 'waits' }))
  await house.until('canary-late', () => alertOf(house.root, 'canary-late'), 70 * SECOND)
  await t.rejects(fly(), { message: 'a test message waits for more than 5 s to be noticed there and taken in', exit: 75 }, 'doctor is told the truth')
  t.same(lettersIn(house.at('workspaces/legal/new')), [])
  room = true
  await house.until('the message', () => lettersOf(house.root, 'legal')[0])
  await house.until('both alerts go with their cause', () => !alertOf(house.root, 'disk-full') && !alertOf(house.root, 'canary-late'), 3 * MINUTE)
  t.same(readdirSync(house.at('.penny/canary')), [])
})

t.test('a file that the disk cannot read holds up its own message and nobody else, and is tried again', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBad = true
  const house = await turnedHouse(
    t,
    {},
    {
      disk: {
        ...disk,
        copyOut: (...args) =>
          isBad ? Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })) : disk.copyOut(...args),
      },
    },
  )
  house.drop('workspaces/cfo/outbox/files/report.pdf', 'pages')
  house.drop('workspaces/cfo/outbox/with.md', message({ to: 'legal', subject: 'with', attach: '[report.pdf]' }))
  await house.until('its alert', () => alertOf(house.root, 'unreadable-file', 'with.md'))
  house.drop('workspaces/cfo/outbox/plain.md', message({ to: 'legal', subject: 'plain' }))
  await house.until('the other one', () => lettersOf(house.root, 'legal').some(({ head }) => head.get('subject') === 'plain'))
  t.notOk(alertOf(house.root, 'disk-full'), 'there is room for everybody')
  isBad = false
  await house.until('it, too', () => lettersOf(house.root, 'legal').some(({ head }) => head.get('subject') === 'with'))
})

t.test('a disk that cannot write what comes in is told of once, for everybody, with what shows why', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBad = false
  const failing = (): never => {
    throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO', syscall: 'write' })
  }
  const house = await turnedHouse(
    t,
    {},
    {
      disk: {
        ...disk,
        append: (fd, data) => (isBad ? failing() : disk.append(fd, data)),
        create: (path, ...rest) => (isBad && String(path).includes('/staging/.room') ? failing() : disk.create(path, ...rest)),
      },
    },
  )
  isBad = true
  house.drop('spool/legal/waits.md', message({ subject: 'waits' }))
  const alert = await house.until('disk-full', () => alertOf(house.root, 'disk-full'))
  t.match(alert.text, /I\/O error/)
  t.match(alert.text, /dmesg/)
  isBad = false
  await house.until('the message', () => lettersOf(house.root, 'legal')[0])
  await house.until('the alert goes', () => !alertOf(house.root, 'disk-full'))
})

t.test('a spool that cannot be listed for a while ends nothing, and a box made meanwhile is found', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBroken = false
  const entries: typeof disk.entries = (path) => {
    if (isBroken && String(path).endsWith('/spool')) throw Object.assign(new Error('EIO: i/o error, scandir spool'), { code: 'EIO' })
    return disk.entries(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, entries } })
  await house.pass(5 * SECOND, SECOND)
  isBroken = true
  mkdirSync(house.at('spool/legal-later'))
  await house.until('it was tried', () => house.house().logged.join('\n').includes('could not be listed; they are listed again'))
  isBroken = false
  house.drop('spool/legal-later/a.md', message({ subject: 'a' }))
  await house.until('somebody looked into it', () => !existsSync(house.at('spool/legal-later/a.md')), 20 * SECOND)
})

t.test('boxes that come and go by the hundred are one listing of the spool each', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let listings = 0
  const entries: typeof disk.entries = (path) => {
    if (String(path).endsWith('/spool')) listings++
    return disk.entries(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, entries } })
  await house.pass(5 * SECOND, SECOND)
  const boxes = Array.from({ length: 200 }, (_, n) => house.at(`spool/box-${n}`))
  for (const change of [mkdirSync, rmdirSync]) {
    const before = listings
    for (const box of boxes) change(box)
    await house.pass(10 * SECOND, SECOND)
    t.ok(listings - before < 40, `${listings - before} listings in ten seconds, with those of the sweeps`)
  }
})

t.test('a spool that cannot even be looked at keeps no outbox from being served', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let isBroken = false
  const stat: typeof disk.stat = (path) => {
    if (isBroken && String(path).endsWith('/spool')) throw Object.assign(new Error('EIO: i/o error, lstat spool'), { code: 'EIO' })
    return disk.stat(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, stat } })
  await house.pass(2 * SECOND, SECOND)
  isBroken = true
  await house.until('told', () => alertOf(house.root, 'unreadable-file', 'about: spool\n'))
  house.drop('workspaces/legal/outbox/a.md', message({ to: 'cfo', subject: 'a' }))
  await house.until('mail', () => lettersOf(house.root, 'cfo')[0], 10 * SECOND)
  isBroken = false
  await house.until('it is over', () => !alertOf(house.root, 'unreadable-file'), 3 * MINUTE)
})

t.test('of a crowd whose attachments wait for a place, those behind the first are not read again and again, and all come through', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const reads = new Map<string, number>()
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (go = resolve))
  const house = await turnedHouse(
    t,
    {},
    {
      disk: {
        ...disk,
        openRead: (path) => {
          const [name] = /crowd-\d+\.md$/.exec(String(path)) ?? []
          if (name !== undefined) reads.set(name, (reads.get(name) ?? 0) + 1)
          return disk.openRead(path)
        },
        copyOut: async (...args) => {
          await gate
          return disk.copyOut(...args)
        },
      },
    },
  )
  const count = 40
  house.drop('workspaces/cfo/outbox/files/report.pdf', 'pages')
  for (let n = 0; n < count; n++) {
    house.drop(`workspaces/cfo/home/report-${n}.pdf`, 'pages')
    house.drop(`workspaces/cfo/outbox/crowd-${n}.md`, message({ to: 'legal', subject: `crowd ${n}`, attach: `[report-${n}.pdf]` }))
  }
  await house.until('all were looked at', () => reads.size === count)
  await house.pass(40 * SECOND, SECOND)
  const often = [...reads.values()].filter((times) => times > 3)
  t.ok(often.length <= 8, `${often.length} of ${count} were read more than three times`)
  go()
  await house.until('all came through', () => lettersOf(house.root, 'legal').length === count)
})

t.test('what a message would send along that may send so much waits with it while the disk is full, and no more', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  let room = true
  const house = await turnedHouse(t, {}, { disk: { ...disk, free: (path) => ({ ...disk.free(path), ...(room ? {} : { bytes: 1_000_000 }) }) } })
  await house.pass(2 * SECOND, SECOND)
  room = false
  await house.pass(5 * SECOND, SECOND)
  const names = Array.from({ length: 9 }, (_, n) => `n-${n}.csv`)
  for (const name of names) house.drop(`spool/legal/${name}`, 'a;b')
  house.drop('spool/legal/many.md', message({ subject: 'many', attach: `[${names.join(', ')}]` }))
  await house.until('the ninth is told of', () => alertOf(house.root, 'unmatched-file', 'n-8.csv'), 30 * SECOND)
  t.notOk(alertOf(house.root, 'unmatched-file', 'n-7.csv'))
  room = true
  await house.until('it is held: too many', () => alertOf(house.root, 'bad-value'), MINUTE)
})
