/** The model gateway as the daemon sees it: its process while a provider is configured, what that is told, and what follows from what it says. */
import type { Config } from '../core/config.ts'
import type { GatewayState } from '../core/control.ts'
import { isMessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Clear, ClearAll, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { FromGateway, GatewayStanding, Tested } from '../gateway/index.ts'
import type { Layout, Ledger } from '../mailbox/index.ts'
import type { Partner, PartnerPlan } from '../system/partner.ts'
import type { System } from '../system/types.ts'
import type { ContextSide } from './contexts.ts'
import { type CallerKeys, openCallerKeys } from './gateway-callers.ts'
import { createProviderKeys, KEYS_LOOK_MS } from './gateway-keys.ts'
import { createGatewayProcess } from './gateway-process.ts'
import { createGatewayRoom, type GatewayRuns } from './gateway-room.ts'
import { makeGatewayFolders, settingsOf } from './gateway-settings.ts'
import type { Identities } from './identities.ts'

export type GatewaySide = Readonly<{
  runs: GatewayRuns
  /** Takes the configuration in force: at the start, and after each change. */
  configure: () => void
  stop: () => Promise<void>
  callerKeys: CallerKeys
  summary: () => GatewayState
  /** Rejects where the process does not run or does not answer. */
  standing: () => Promise<GatewayStanding>
  test: (provider: string) => Promise<Tested>
}>

export type GatewaySideGiven = Readonly<{
  system: Pick<System, 'clock' | 'disk' | 'log' | 'self'>
  layout: Layout
  config: () => Config
  identities: () => Identities
  ledger: Ledger
  raise: Raise
  clear: Clear
  clearAll: ClearAll
  kick: () => void
  contexts: Pick<ContextSide, 'told' | 'sealed'>
  /** The words that start the process. */
  command: readonly string[]
  environment: Readonly<Record<string, string>>
  startPartner: (plan: PartnerPlan) => Promise<Partner>
}>

const ANSWER_MS = 5_000
/** A provider that is far away and busy. */
const TEST_MS = 30_000
/** Whoever tests it has just configured it: a process that begins, and a key file that was just written, are waited for. */
const BEGUN_MS = 15_000
const BEGUN_LOOK_MS = 50
/** Runs do not wait longer for a process that does not come up: then their requests find nobody, and its alert says so. */
const OPEN_MS = 5_000

export function createGatewaySide(given: GatewaySideGiven): GatewaySide {
  const { system, layout, config, identities, ledger, raise, clear, clearAll } = given
  const { clock, disk, log, self } = system
  const callerKeys = openCallerKeys(disk, `${layout.private('state')}/gateway-keys.json`)
  const doors = new Set<string>()
  let wasOpen = false

  const gateway = createGatewayProcess({
    clock,
    log,
    raise,
    clear,
    launch: async (heard) => {
      makeGatewayFolders(disk, layout, config(), identities())
      const { gateway: as } = identities()
      const plan = { argv: given.command, cwd: layout.gateway, env: given.environment, heard }
      return given.startPartner({ ...plan, as: as && { ...as, groups: [] } })
    },
    begun: () => {
      tellSettings()
      for (const { name } of config().providers.values()) gateway.tell({ tell: 'key', provider: name, key: keys.of(name), turn: keys.turnOf(name) })
      for (const work of room.works()) gateway.tell({ tell: 'work', work })
    },
    heard,
    ended: () => {
      room.setRooms([])
      for (const about of doors) clear('gateway-down', about)
      doors.clear()
    },
  })
  const keys = createProviderKeys({
    clock,
    disk,
    uid: self.uid,
    providers: () => config().providers.values(),
    raise,
    clear,
    changed: (provider, key, turn) => gateway.tell({ tell: 'key', provider, key, turn }),
  })
  const room = createGatewayRoom({ clock, config, raise, clear, kick: given.kick, tell: gateway.tell, isOpen: () => wasOpen })
  const cancel = clock.every(KEYS_LOOK_MS, () => {
    keys.look()
    room.look()
  })

  async function begun(provider: string): Promise<void> {
    const untilMs = clock.monotonic() + BEGUN_MS
    for (;;) {
      keys.look()
      const { state } = gateway.state()
      const isBegun = state === 'ready' ? keys.isRead(provider) : state === 'down'
      if (isBegun || clock.monotonic() >= untilMs) return
      await new Promise<void>((resolve) => void clock.after(BEGUN_LOOK_MS, resolve))
    }
  }

  function tellSettings(): void {
    makeGatewayFolders(disk, layout, config(), identities())
    gateway.tell({ tell: 'settings', settings: settingsOf(config(), identities(), callerKeys.of) })
  }

  function heard(message: Exclude<FromGateway, { tell: 'asked' }>): void {
    switch (message.tell) {
      case 'ready':
        wasOpen = true
        clearAll('gateway-down', doors)
        clear('disk-full', 'gateway')
        // Of a process before this one: whoever is over is told of by now.
        clock.after(OPEN_MS, () => clearAll('over-budget', new Set(room.overBudget())))
        return given.kick()
      case 'door':
        return tellDoor(message.about, message.why)
      case 'provider':
        return tellProvider(message.provider, message.verdict, message.turn)
      case 'context':
        return given.contexts.told(message.change)
      case 'sealed':
        return given.contexts.sealed(message.sealed)
      case 'room':
        return room.setRooms(message.rooms)
      case 'pool':
        return room.usedPool(message.agent, message)
      case 'budget':
        return room.setBudget(message.agent, message.state)
      case 'ledger':
        return tellLedger(message.why)
      case 'holds':
        return gateway.tell({ tell: 'answer', id: message.id, rank: rankOf(message.agent, message.message) })
    }
  }

  /** Of what it holds and has not settled; undefined: nothing of the kind. */
  function rankOf(agent: Name, id: string): number | undefined {
    const mail = isMessageId(id) ? ledger.get(id) : undefined
    return mail?.holder === agent && mail.folder !== 'done' ? mail.rank : undefined
  }

  function tellDoor(about: string, why: string | undefined): void {
    if (why === undefined) {
      if (doors.delete(about)) clear('gateway-down', about)
      return
    }
    doors.add(about)
    const { port } = config().org.gateway
    const isAgent = config().agents.has(about as Name)
    raise({
      code: 'gateway-down',
      about,
      ...(isAgent ? { agent: about } : {}),
      sentence: `The model gateway cannot be reached ${isAgent ? `by ${about}` : `at ${about}`}: ${why}. It is tried again and again.`,
      fix: isAgent
        ? `ls -ld ${shellWord(layout.socketFolder(about))}`
        : `ss -ltnp ${shellWord(`sport = :${port}`)}   # who has it; or listen elsewhere: gateway: { listen: … } in policies/org.yaml`,
    })
  }

  function tellProvider(provider: string, verdict: Extract<FromGateway, { tell: 'provider' }>['verdict'], turn: number): void {
    const known = config().providers.get(provider)
    if (!known) return
    if (verdict === 'bad-key') keys.refused(provider, turn)
    else if (verdict === 'spend-cap' || verdict === 'forbidden') {
      const why = verdict === 'spend-cap' ? 'money, or a limit of spending, is used up' : 'its key is valid, but may not do this (403)'
      raise({
        code: 'provider-refused',
        about: provider,
        sentence: `The provider ${provider} refuses requests: ${why}. Agents get its answer as it is.`,
        fix: `penny gateway test ${shellWord(provider)}`,
      })
    } else if (verdict === 'ok') clear('provider-refused', provider)
  }

  function tellLedger(why: string | undefined): void {
    if (why === undefined) return clear('disk-full', 'gateway')
    raise({
      code: 'disk-full',
      about: 'gateway',
      sentence: `The ledger of the model gateway cannot be written (${why}); its lines wait in memory, as many as there is room for.`,
      fix: `df -h ${shellWord(layout.ledger)}`,
    })
  }

  return {
    runs: room.runs,
    configure: () => {
      const names = new Set(config().providers.keys())
      clearAll('provider-refused', names)
      clearAll('provider-key', names)
      keys.look()
      if (names.size === 0) {
        wasOpen = false
        clearAll('gateway-down', names)
        return void gateway.stop()
      }
      if (!gateway.start()) return tellSettings()
      clock.after(OPEN_MS, () => {
        wasOpen = true
        given.kick()
      })
    },
    stop: () => {
      cancel()
      return gateway.stop()
    },
    callerKeys,
    summary: () => {
      const { sinceMs, ...state } = gateway.state()
      const providers = [...config().providers.keys()]
      return {
        ...state,
        ...(sinceMs === undefined ? {} : { since: formatTime(sinceMs) }),
        providers,
        without_key: providers.flatMap((provider) => {
          const why = keys.fault(provider)
          return why === undefined ? [] : [{ provider, why }]
        }),
        over_budget: room.overBudget(),
      }
    },
    standing: async () => (await gateway.ask({ what: 'status' }, ANSWER_MS)) as GatewayStanding,
    test: async (provider) => {
      await begun(provider)
      const turn = keys.turnOf(provider)
      const tested = (await gateway.ask({ what: 'test', provider }, TEST_MS)) as Tested
      // What was said of a key that was replaced meanwhile is not said of the new one.
      if (tested.kind === 'answered' && keys.turnOf(provider) === turn) tellProvider(provider, tested.verdict, turn)
      return tested
    },
  }
}
