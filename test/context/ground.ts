/** Folders of one agent, a clock turned by hand, and what the room says. */
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type Change, createOrders, makeVersions, type Standing } from '../../src/context/index.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Letter } from '../../src/core/post.ts'
import { layoutOf, type Mail, pinFolders } from '../../src/mailbox/index.ts'
import { realDisk } from '../../src/system/disk.ts'
import { chooseLease } from '../../src/system/lease.ts'
import type { Disk, Stat } from '../../src/system/types.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'

export const LEGAL = 'legal' as Name
export const ID = '019aaaaa-0000-7000-8000-000000000001' as MessageId
export const OTHER = '019aaaaa-0000-7000-8000-000000000002' as MessageId
export const START_MS = Date.UTC(2030, 0, 7, 9)

type Gauge = Change['gauge']

export function ground(t: Test, change: Partial<Disk> = {}) {
  const root = t.testdir()
  const layout = layoutOf(root)
  const [home, runs] = [layout.home(LEGAL), layout.runs(LEGAL)]
  for (const folder of [home, runs, layout.staging]) mkdirSync(folder, { recursive: true })
  const clock: HandClock = makeHandClock(START_MS)
  const disk: Disk = { ...realDisk(undefined, chooseLease(undefined, root)), ...change }
  const raised = new Map<string, Fault>()
  const letters: Letter[] = []
  const logged: string[] = []
  const mails = new Map<MessageId, Mail>(
    [ID, OTHER].map((id) => [id, { id, holder: LEGAL, subject: 'Review', file: `3-normal.${id}.review.md`, priority: 'normal' } as Mail]),
  )
  const post = { broken: false }
  const putAway: MessageId[] = []
  let secrets = 0
  let saved: readonly Standing[] = []
  const given = {
    clock,
    disk,
    layout,
    pins: pinFolders(disk),
    log: (_: string, what: string) => void logged.push(what),
    ids: { next: () => ID, after: () => undefined, secret: () => `s${++secrets}` },
    givenOwner: () => undefined,
    mayOwn: (_: Name, { uid }: Stat) => uid === process.getuid?.(),
    submit: async (letter: Letter) => {
      if (post.broken) throw new Error('no space')
      letters.push(letter)
      const id = `019bbbbb-0000-7000-8000-00000000000${letters.length}` as MessageId
      mails.set(id, { id, holder: LEGAL, folder: 'new' } as Mail)
      return id
    },
    putAway: async (note: MessageId) => {
      if (post.broken) throw new Error('no space')
      putAway.push(note)
      mails.delete(note)
    },
    raise: (fault: Fault) => void raised.set(`${fault.code} ${fault.about}`, fault),
    clear: (code: string, about: string) => void raised.delete(`${code} ${about}`),
    isAgent: (name: Name) => name === LEGAL,
    mailOf: (id: MessageId) => mails.get(id),
    changed: (all: readonly Standing[]) => {
      saved = all
    },
  }
  const versions = makeVersions(given)
  let orders = createOrders({ ...given, versions, before: [] })
  const write = (text: string, afterMs = 1): void => {
    writeFileSync(`${home}/checkpoint.md`, text)
    const seconds = (clock.now() + afterMs) / 1000
    utimesSync(`${home}/checkpoint.md`, seconds, seconds)
  }
  return {
    home,
    runs,
    clock,
    raised,
    letters,
    putAway,
    logged,
    mails,
    post,
    versions,
    orders: () => orders,
    /** As the gateway tells it: so many of a thousand tokens. */
    told: (usedTokens: number, passed: readonly number[], more: Partial<Gauge> & { isNew?: boolean } = {}) => {
      const { isNew = false, ...gauge } = more
      orders.told({ gauge: { agent: LEGAL, message: ID, session: 's-1', usedTokens, windowTokens: 1_000, ...gauge }, passed, isNew })
    },
    restart: () => {
      orders = createOrders({ ...given, versions, before: JSON.parse(JSON.stringify(saved)) as Standing[] })
    },
    write,
    alerts: () => [...raised.keys()].sort(),
    files: () => readdirSync(runs).sort(),
    read: (name: string) => readFileSync(`${runs}/${name}`, 'utf8'),
    soon: () => new Promise<void>((resolve) => void setImmediate(resolve)),
  }
}
