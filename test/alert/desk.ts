/** Alerts over real folders, with a clock turned by hand. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Alerts, createAlerts } from '../../src/alert/index.ts'
import type { Event } from '../../src/core/event.ts'
import type { Fault } from '../../src/core/fault.ts'
import { layoutOf } from '../../src/mailbox/index.ts'
import { realDisk } from '../../src/system/disk.ts'
import { makeIds } from '../../src/system/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { configOf } from '../config/organisation.ts'
import { type HandClock, handClock } from '../deadline/hand-clock.ts'

const noLease = { how: 'proc', take: () => true, unbroken: () => true, drop: () => undefined } as const

export type Desk = Alerts &
  Readonly<{
    clock: HandClock
    root: string
    events: Extract<Event, { event: 'alert' }>[]
    logged: string[]
    notified: string[]
    files: () => string[]
    closed: () => string[]
    text: (file: string) => string
    head: (file: string) => Record<string, unknown>
    restart: () => Desk
  }>

export function desk(root: string, clock = handClock(Date.now()), breakDisk: (disk: Disk) => Disk = (disk) => disk): Desk {
  const layout = layoutOf(root)
  for (const folder of [layout.closedAlerts, layout.staging]) mkdirSync(folder, { recursive: true })
  const config = configOf({ 'org.yaml': 'name: acme\npostmaster: operator\nnotify: [[tell, me]]\n' })
  const events: Desk['events'] = []
  const logged: string[] = []
  const notified: string[] = []
  const text = (file: string): string => readFileSync(`${layout.alerts}/${file}`, 'utf8')
  const alerts = createAlerts({
    clock,
    disk: breakDisk(realDisk(undefined, noLease)),
    ids: makeIds(clock),
    log: (_, what) => void logged.push(what),
    layout,
    config: () => config,
    record: (event) => {
      if (event.event === 'alert') events.push(event)
    },
    notify: (argv, said) => void notified.push(`${argv.join(' ')}: ${said}`),
    owner: undefined,
  })
  alerts.load()
  return {
    ...alerts,
    clock,
    root,
    events,
    logged,
    notified,
    files: () =>
      readdirSync(layout.alerts)
        .filter((name) => name !== 'done')
        .sort(),
    closed: () => readdirSync(layout.closedAlerts).sort(),
    text,
    head: (file) => parse(text(file).split('---\n')[1] ?? '') as Record<string, unknown>,
    restart: () => desk(root, clock, breakDisk),
  }
}

/** An event. */
export const forged = (about: string, more: Partial<Fault> = {}): Fault => ({
  code: 'forged-sender',
  about,
  agent: 'legal',
  sentence: `${about} claims to be from ceo.`,
  fix: 'penny held',
  ...more,
})

/** A condition. */
export const stray = (about: string, more: Partial<Fault> = {}): Fault => ({
  code: 'unmatched-file',
  about,
  agent: 'legal',
  sentence: `${about} is no message.`,
  fix: `mv ${about} ${about}.md`,
  ...more,
})
