import { existsSync, mkdirSync, readdirSync } from 'node:fs'
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
  const list: typeof disk.list = (path) => {
    if (isBroken && String(path).endsWith('/spool')) throw Object.assign(new Error('EIO: i/o error, scandir spool'), { code: 'EIO' })
    return disk.list(path)
  }
  const house = await turnedHouse(t, {}, { disk: { ...disk, list } })
  await house.pass(5 * SECOND, SECOND)
  isBroken = true
  mkdirSync(house.at('spool/legal-later'))
  await house.until('it was tried', () => house.house().logged.join('\n').includes('could not be listed; they are listed again'))
  isBroken = false
  house.drop('spool/legal-later/a.md', message({ subject: 'a' }))
  await house.until('somebody looked into it', () => !existsSync(house.at('spool/legal-later/a.md')), 20 * SECOND)
})
