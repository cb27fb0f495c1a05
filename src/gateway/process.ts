/** The gateway as a process: what the daemon tells it, its ways in, and what it tells the daemon. */
import type { Provider } from '../core/config.ts'
import type { Verdict } from '../model/index.ts'
import type { Serve } from '../system/serve.ts'
import type { Cancel, Clock, Disk, Log } from '../system/types.ts'
import type { Upstream } from '../system/upstream.ts'
import { openAccounts } from './accounts.ts'
import { createDoors } from './doors.ts'
import { createDoubts } from './doubts.ts'
import { createGateway } from './gateway.ts'
import { createKeys } from './keys.ts'
import type { Alive, Ask, CallerSettings, FromGateway, GatewayStanding, Settings, Tested, ToGateway } from './link.ts'
import { testProvider } from './probe.ts'
import { poolNameOf } from './providers.ts'
import { createReception, type ReceptionGiven } from './reception.ts'
import { createSeals } from './seal.ts'
import { createWorks } from './works.ts'

export type ProcessGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  random: () => number
  upstream: Upstream
  serve: Serve
  uidOfPeer: ReceptionGiven['uidOfPeer']
  selfUid: number
  /** How many descriptors this process may have. */
  mostFiles: number
  /** Nobody else writes there; it is there. */
  ledgerFolder: string
  /** Nor there: of requests with which a context ended. */
  checkpointsFolder: string
  tell: (line: FromGateway) => void
  /** The daemon does not listen just now: what is told each second may be left out. */
  isDeaf: () => boolean
}>

export type GatewayProcess = Readonly<{
  hear: (line: ToGateway) => void
  /** Cuts what is under way, and resolves when that is in the ledger, or the time for it is over. */
  stop: () => Promise<void>
}>

const LOOK_MS = 1_000
/** It is well again when nothing was heard for so long but that it is. */
const CALM_MS = 60_000
/** Of the 500 ms that a stop may take: for requests to end, and for the disk. */
const END_MS = 150
const DISK_MS = 250

export function createGatewayProcess(given: ProcessGiven): GatewayProcess {
  const { clock, log, tell, upstream } = given
  const keys = createKeys()
  const works = createWorks({ clock, ask: (holds) => tell({ tell: 'holds', ...holds }) })
  const accounts = openAccounts({ ...given, folder: given.ledgerFolder, poolOf })
  /** What the daemon calls the key that is in use: its refusal may cross another key on the way. */
  const turns = new Map<string, number>()
  const verdicts = new Map<string, Readonly<{ kind: Verdict['kind']; heardMs: number }>>()
  const underWay = new Set<Promise<void>>()
  let callers: ReadonlyMap<string, CallerSettings> = new Map()
  let operatorUids: readonly number[] = []
  let providers: ReadonlyMap<string, Provider> = new Map()
  let toldRooms = '[]'
  let isReady = false
  let ticking: Cancel | undefined

  function poolOf(name: string, model: string): string | undefined {
    const provider = providers.get(name)
    return provider && poolNameOf(provider, model)
  }

  function heard(provider: string, kind: Verdict['kind']): void {
    if (kind === 'bad-key') keys.refused(provider)
    const before = verdicts.get(provider)
    const nowMs = clock.monotonic()
    // One agent may be allowed what another is not.
    if (kind === 'ok' && before && before.kind !== 'ok' && nowMs - before.heardMs < CALM_MS) return
    verdicts.set(provider, { kind, heardMs: nowMs })
    if (before?.kind !== kind) tell({ tell: 'provider', provider, verdict: kind, turn: turns.get(provider) ?? 0 })
  }

  const test = (provider: string): Promise<Tested> => testProvider({ clock, upstream, keyOf: keys.of, told: heard }, providers.get(provider))
  const doubts = createDoubts({ clock, keyOf: keys.of, test, refused: (provider) => heard(provider, 'bad-key') })

  function keySet(provider: string, key: string | undefined, turn = 0): void {
    keys.set(provider, key)
    turns.set(provider, turn)
    gateway.wake()
    if (key !== undefined && verdicts.get(provider)?.kind === 'bad-key') verdicts.delete(provider)
  }

  const gateway = createGateway({
    ...given,
    providers: () => providers,
    keyOf: keys.of,
    told: (provider, kind) => (kind === 'bad-key' ? doubts.about(provider) : heard(provider, kind)),
    record: (entry) => {
      accounts.record(entry)
      if (entry.provider !== undefined && entry.status >= 200 && entry.status < 300) heard(entry.provider, 'ok')
    },
    contextWindowOf: (agent) => callerOf(agent)?.contextWindow,
    contextTold: (change) => tell({ tell: 'context', change }),
    seals: createSeals({ clock, disk: given.disk, log, folder: given.checkpointsFolder, sealed: (sealed) => tell({ tell: 'sealed', sealed }) }),
  })
  const callerOf: ReceptionGiven['callerOf'] = (agent) => callers.get(agent)
  const reception = createReception({
    ...given,
    callerOf,
    operatorUids: () => operatorUids,
    works,
    metrics: () =>
      accounts.metrics({
        pools: gateway.report(),
        keys: [...providers.keys()].map((provider) => ({ provider, isThere: keys.of(provider) !== undefined })),
        gauges: gateway.gauges(),
        budgets: accounts.budgets(),
        ledger: accounts.ledger(),
      }),
    handle: (...request) => {
      const one = gateway.handle(...request).finally(() => underWay.delete(one))
      underWay.add(one)
    },
  })
  const doors = createDoors({ ...given, ...reception, told: (about, why) => tell({ tell: 'door', about, why }) })

  async function set(next: Settings): Promise<void> {
    callers = new Map(next.callers.map((one) => [one.agent, one]))
    operatorUids = next.operatorUids ?? []
    providers = new Map(next.providers.map((one) => [one.name, { ...one, models: new Map(one.models), weights: new Map(one.weights) }]))
    accounts.set(next)
    gateway.wake()
    ticking ??= clock.every(LOOK_MS, look)
    await doors.set(next)
    if (!isReady) tell({ tell: 'ready' })
    isReady = true
  }

  function look(): void {
    accounts.look()
    void doors.look()
    const rooms = gateway.rooms()
    const words = JSON.stringify(rooms)
    if (words === toldRooms || given.isDeaf()) return
    toldRooms = words
    tell({ tell: 'room', rooms })
  }

  function standing(): GatewayStanding {
    return {
      providers: [...providers.values()].map(({ name, fallback }) => ({
        provider: name,
        fallback,
        key: keys.stateOf(name),
        verdict: verdicts.get(name)?.kind,
      })),
      pools: gateway.report(),
      agents: accounts.agents(gateway.gauges()),
      doors: doors.report(),
      ledger: accounts.ledger(),
    }
  }

  async function answer(ask: Ask): Promise<GatewayStanding | Tested | Alive> {
    switch (ask.what) {
      case 'status':
        return standing()
      case 'test':
        return test(ask.provider)
      case 'alive':
        return { kind: 'alive' }
    }
  }

  return {
    hear: (line) => {
      switch (line.tell) {
        case 'settings':
          return void set(line.settings)
        case 'key':
          return keySet(line.provider, line.key, line.turn)
        case 'work':
          return works.began(line.work)
        case 'over':
          return works.over(line.run)
        case 'answer':
          return works.answered(line.id, line.rank)
        case 'ask':
          return void answer(line.ask).then((found) => tell({ tell: 'asked', id: line.id, answer: found }))
        default:
          log('warn', 'the daemon says something that this gateway does not know', { word: wordOf(line) })
      }
    },
    stop: async () => {
      ticking?.()
      const late = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve))
      // Its client gone, a request ends its call of the provider, and has its line in the ledger.
      await Promise.race([doors.close().then(() => Promise.all(underWay)), late(END_MS)])
      await Promise.race([accounts.close(), late(DISK_MS)])
    },
  }
}

function wordOf(line: never): string {
  return String((line as Readonly<{ tell?: unknown }>).tell).slice(0, 100)
}
