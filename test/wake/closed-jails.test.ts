import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Name } from '../../src/core/names.ts'
import { realClock } from '../../src/system/clock.ts'
import { hostOf } from '../../src/system/host.ts'
import type { Clock } from '../../src/system/types.ts'
import { makeOffice, type Office, pause, until } from './office.ts'

type House = Readonly<{
  office: Office
  /** What was found at the start now leads to `known`, and whoever looks again finds `found`. */
  bwrap: (known: string, found: string | undefined) => void
  /** What the dispatcher does every 30 s. */
  look: () => void
  cleared: string[]
  mounts: Map<string, string>
}>

const host = hostOf(process.env['PATH'] ?? '')
const REAL = host().bwrap
const skip = REAL ? false : 'needs bubblewrap'
const ITSELF = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

function makeHouse(t: Test): House {
  let found = REAL
  let look = (): void => undefined
  const clock: Clock = {
    ...realClock,
    every: (ms, call) => {
      if (ms === 30_000) look = call
      return realClock.every(ms, call)
    },
  }
  const office = makeOffice(t, clock)
  const cleared: string[] = []
  const mounts = new Map<string, string>()
  let known = { ...host() }
  office.given = {
    ...office.given,
    // As hostOf: what was found stays so until somebody hopes for more.
    host: (again) => {
      if (again) known = { ...host(), bwrap: found }
      return known
    },
    clear: (code, about) => void cleared.push(`${code} ${about}`),
    identity: (agent: Name) => {
      const { layout } = office.given
      const from = mounts.get(agent)
      return {
        as: undefined,
        logOwner: undefined,
        gateway: undefined,
        jail: {
          ...ITSELF,
          agent,
          workspace: layout.workspace(agent),
          readOnly: [layout.sent(agent)],
          readable: [],
          runners: `${office.root}/policies/runners`,
          mounts: from === undefined ? [] : [{ from, at: '/code', mode: 'ro' }],
          network: 'none',
          gateway: undefined,
          organisation: '/nowhere',
          writable: [],
          sameUid: false,
        },
      }
    },
  }
  const named = (path: string): NonNullable<typeof REAL> => ({ path, version: REAL?.version ?? [0, 8] })
  const bwrap: House['bwrap'] = (path, next) => {
    known = { ...known, bwrap: named(path) }
    found = next === undefined ? undefined : named(next)
  }
  return { office, bwrap, look: () => look(), cleared, mounts }
}

const faults = ({ faults: all }: Office): string[] => all.filter(({ code }) => code === 'jail-unavailable').map(({ about }) => about)
const waits = (house: House, mail: Parameters<Office['find']>[0]): boolean => {
  const place = house.office.find(mail)
  return place?.folder === 'new' && place.status === 'open'
}

t.test('a bwrap that goes away or fails while the daemon runs is no attempt of the message, and closes every jail until it is back', { skip }, async (t) => {
  for (const broken of ['/nonexistent/bwrap', '/usr/bin/false']) {
    const house = makeHouse(t)
    const { office } = house
    const legal = office.agent('legal', 'echo ran >> ran', { maxAttempts: 1 })
    const dispatcher = await office.open()
    house.bwrap(broken, broken)
    const mail = office.deliver('legal')
    dispatcher.offer(mail.id)
    await until('the fault is told', () => faults(office).includes('bubblewrap'))
    await until('back in new/', () => waits(house, mail) && dispatcher.running().length === 0)
    t.equal(office.home('legal', 'ran'), '', `${broken}: nothing was run`)
    t.type(dispatcher.faultOfJail(legal), 'string')
    house.look()
    await pause(100)
    t.type(dispatcher.faultOfJail(legal), 'string', 'it is tried again, and still closed')
    t.equal(office.home('legal', 'ran'), '')
    const before = house.cleared.length
    house.bwrap(broken, REAL?.path)
    house.look()
    await until('it ran, with max_attempts: 1', () => office.home('legal', 'ran') === 'ran\n')
    t.same(house.cleared.slice(before), ['jail-unavailable bubblewrap'])
    t.equal(dispatcher.faultOfJail(legal), undefined)
  }
})

t.test('an uninstalled bubblewrap is told as such, with the command that installs it', { skip }, async (t) => {
  const house = makeHouse(t)
  const { office } = house
  office.agent('legal', 'echo ran >> ran')
  const dispatcher = await office.open()
  house.bwrap('/nonexistent/bwrap', undefined)
  dispatcher.offer(office.deliver('legal').id)
  const fault = await until('told', () => office.faults.find(({ code }) => code === 'jail-unavailable'))
  t.match(fault, { about: 'bubblewrap', sentence: /bubblewrap \(bwrap\) is not installed/, fix: 'sudo apt-get install bubblewrap' })
})

t.test('a mount that is not there closes the jail of its agent alone', { skip }, async (t) => {
  const house = makeHouse(t)
  const { office } = house
  const code = join(office.root, 'code')
  const [legal, pmo] = [office.agent('legal', 'ls /code > ran', { maxAttempts: 1 }), office.agent('pmo', 'echo ran >> ran')]
  house.mounts.set(legal, code)
  const dispatcher = await office.open()
  const mail = office.deliver(legal)
  dispatcher.offer(mail.id)
  const fault = await until('told', () => office.faults.find(({ about }) => about === legal))
  t.match(fault, { code: 'jail-unavailable', agent: legal, fix: /^\$\{EDITOR:-vi\} policies\/agents\/legal\.md$/ })
  t.ok(fault?.sentence.includes(code), fault?.sentence)
  await until('back in new/', () => waits(house, mail))
  dispatcher.offer(office.deliver(pmo).id)
  await until('the other goes on', () => office.home('pmo', 'ran') === 'ran\n')
  t.same([...new Set(faults(office))], [legal])
  mkdirSync(code)
  house.look()
  await until('it ran', () => office.find(mail)?.status === 'done')
  t.ok(house.cleared.includes(`jail-unavailable ${legal}`))
})

t.test('an agent whose own folders are broken closes nobody else’s jail', { skip }, async (t) => {
  const house = makeHouse(t)
  const { office } = house
  const [legal, pmo] = [office.agent('aaa', 'echo ran >> ran'), office.agent('pmo', 'echo ran >> ran')]
  const dispatcher = await office.open()
  rmSync(office.given.layout.sent(legal), { recursive: true })
  dispatcher.offer(office.deliver(legal).id)
  await until('told', () => faults(office).length > 0)
  dispatcher.offer(office.deliver(pmo).id)
  await until('the other goes on', () => office.home('pmo', 'ran') === 'ran\n')
  house.look()
  await pause(100)
  t.same([...new Set(faults(office))], [legal])
  t.equal(dispatcher.faultOfJail(pmo), undefined)
})

t.test('a dispatcher that starts closes what one before it told, if it is mended or nobody needs a jail any more', { skip }, async (t) => {
  const mended = makeHouse(t)
  mended.office.agent('legal', 'true')
  await mended.office.open()
  t.same(mended.cleared, ['jail-unavailable bubblewrap', 'jail-unavailable legal'])
  const jailless = makeHouse(t)
  const { identity } = jailless.office.given
  jailless.office.given = {
    ...jailless.office.given,
    identity: (agent) => ({ as: undefined, logOwner: undefined, gateway: undefined, ...identity(agent), jail: undefined }),
  }
  jailless.office.agent('legal', 'true')
  await jailless.office.open()
  t.same(jailless.cleared, ['jail-unavailable bubblewrap', 'jail-unavailable legal'])
  t.same(jailless.office.faults, [])
})
