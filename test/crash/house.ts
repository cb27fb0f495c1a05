/** An organisation in a temporary folder and a daemon of it in this process, on any disk. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { loadConfig, readPolicies } from '../../src/config/index.ts'
import type { StatusReport } from '../../src/core/control.ts'
import { type Daemon, startDaemon } from '../../src/daemon/daemon.ts'
import { putInForce } from '../../src/daemon/inforce.ts'
import { fingerprint } from '../../src/daemon/policies.ts'
import { layoutOf, provision, rootRules } from '../../src/mailbox/index.ts'
import { makeIds, realSystem } from '../../src/system/index.ts'
import type { Cancel, Clock, System } from '../../src/system/types.ts'
import { type DyingDisk, dyingDisk } from './disk.ts'

const POLICIES: Readonly<Record<string, string>> = {
  'org.yaml': 'name: acme\npostmaster: operator\n',
  'people/operator.md': '---\n{}\n---\n',
  'agents/legal.md': '---\ntitle: Counsel\n---\nYou review.\n',
  'agents/cfo.md': '---\ntitle: Finance\n---\nYou count.\n',
}
const WITH_A_RUNNER: Readonly<Record<string, string>> = {
  'agents/clerk.md': '---\ntitle: Clerk\nrunner:\n  command: [./handle.sh]\n  max_attempts: 9\n---\nYou work.\n',
  'runners/handle.sh': '#!/bin/sh\necho "done: $(grep -c . "$PENNY_MESSAGE") lines"\n',
}

/** With `no runner` the daemon looks for no jail when it starts: that is four processes each time. */
export function newRoot(agents?: 'no runner'): string {
  const root = mkdtempSync(`${tmpdir()}/seam-`)
  chmodSync(root, 0o755)
  for (const [path, text] of Object.entries({ ...POLICIES, ...(agents ? {} : WITH_A_RUNNER) })) {
    const file = `${root}/policies/${path}`
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true })
    writeFileSync(file, text, { mode: path.startsWith('runners/') ? 0o755 : 0o644 })
  }
  mkdirSync(`${root}/.penny`, { mode: 0o711 })
  return root
}

export type House = Readonly<{
  root: string
  daemon: Daemon
  dying: DyingDisk
  logged: string[]
  failed: unknown[]
  stop: () => Promise<void>
  abandon: () => void
}>

let base: System | undefined

/** `given` stands in for what is real: a clock that is turned by hand, a disk or a watch that refuses. */
export async function openHouse(root: string, given: Partial<Pick<System, 'clock' | 'disk' | 'watch' | 'spawner'>> = {}): Promise<House> {
  base ??= await realSystem(mkdtempSync(`${tmpdir()}/seam-probe-`), 'error', () => undefined)
  const real = { ...base, ...given }
  const layout = layoutOf(root)
  const dying = dyingDisk(real.disk)
  const cancels = new Set<Cancel>()
  let stopped = false
  const clock = mortal(real.clock, () => stopped || dying.isDead(), cancels)
  const logged: string[] = []
  const failed: unknown[] = []
  const system: System = {
    ...real,
    clock,
    disk: dying.disk,
    ids: makeIds(clock),
    watch: (folder, report) => {
      const cancel = real.watch(folder, (name, wrote) => {
        if (!dying.isDead()) report(name, wrote)
      })
      cancels.add(cancel)
      return () => {
        cancels.delete(cancel)
        cancel()
      }
    },
    log: (level, what, fields) => {
      if (!dying.isDead() && (level === 'error' || level === 'warn')) logged.push(`${what} ${JSON.stringify(fields ?? {})}`)
    },
  }
  const self = { daemon: system.self, operatorsGid: system.self.gid, holder: undefined, readersGid: undefined, give: false }
  provision(
    system.disk,
    rootRules(layout).filter(({ path }) => path !== layout.policies),
    self,
  )
  const policiesSeen = fingerprint(system.disk, layout.policies)
  const loaded = loadConfig(readPolicies(system.disk, layout.policies), layout.policies)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { PATH = '/usr/bin:/bin' } = process.env
  const inForce = putInForce(system, layout, loaded.config)
  const daemon = startDaemon({
    system,
    config: loaded.config,
    inForce,
    policiesSeen,
    layout,
    version: '0',
    environment: { PATH },
    gatewayCommand: [],
    stop: () => undefined,
    failed: (cause) => failed.push(cause),
  })
  const abandon = (): void => {
    stopped = true
    for (const cancel of cancels) cancel()
    cancels.clear()
  }
  return {
    root,
    daemon,
    dying,
    logged,
    failed,
    stop: async () => {
      await daemon.stop(0)
      abandon()
    },
    abandon,
  }
}

/** Timers of a dead process never come. */
function mortal(clock: Clock, isDead: () => boolean, cancels: Set<Cancel>): Clock {
  const alive = (call: () => void) => () => {
    if (!isDead()) call()
  }
  const keep = (cancel: Cancel): Cancel => {
    cancels.add(cancel)
    return () => {
      cancels.delete(cancel)
      cancel()
    }
  }
  return {
    ...clock,
    after: (ms, call) => clock.after(ms, alive(call)),
    every: (ms, call) => keep(clock.every(ms, alive(call))),
    soon: (call) => clock.soon(alive(call)),
  }
}

export async function report(house: House): Promise<StatusReport> {
  const signal = new AbortController().signal
  return (await house.daemon.verbs.status({ verb: 'status' }, () => undefined, signal)).report
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

/** Polls; undefined once it took too long. */
export async function until<T>(look: () => T | undefined | false | Promise<T | undefined | false>, withinMs = 15_000): Promise<T | undefined> {
  const end = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) return undefined
    await pause(15)
  }
}

/** Complete at once, as `mv` from a folder of the same disk. */
export function drop(root: string, folder: string, name: string, text: string): void {
  const staged = `${root}/.drop-${name}`
  writeFileSync(staged, text, { mode: 0o644 })
  renameSync(staged, `${root}/${folder}/${name}`)
}

export type Found = Readonly<{ holder: string; folder: string; file: string; path: string; text: string; id: string }>

/** Every message in every mailbox. */
export function mailOf(root: string): Found[] {
  const found: Found[] = []
  const look = (holder: string, folder: string): void => {
    const path = `${root}/workspaces/${holder}/${folder}`
    for (const file of filesIn(path)) {
      if (statSync(`${path}/${file}`).isDirectory()) {
        if (folder === 'done') look(holder, `done/${file}`)
        continue
      }
      const text = readFileSync(`${path}/${file}`, 'utf8')
      found.push({ holder, folder, file, path: `${path}/${file}`, text, id: key(text, 'id') ?? '' })
    }
  }
  for (const holder of filesIn(`${root}/workspaces`)) for (const folder of ['new', 'cur', 'done']) look(holder, folder)
  return found
}

export function key(text: string, name: string): string | undefined {
  const front = text.split('\n---\n')[0] ?? ''
  return new RegExp(`^${name}: *(.*)$`, 'm').exec(front)?.[1]
}

export function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
