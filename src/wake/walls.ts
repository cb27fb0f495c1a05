/** Whether jails can be made: of all agents, or of one. While they cannot, nothing is started; there is no weaker jail. */
import type { Name } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { faultOfHost, INSTALL_BWRAP, type Jail, type JailFault } from '../jail/index.ts'
import type { WakeGiven } from './given.ts'
import { tryJail } from './tryjail.ts'

export type Walls = Readonly<{
  /** Why nothing can be started for this agent now; undefined: it can. */
  fault: (agent: Name) => string | undefined
  /** A run of this agent found its jail not to be made: none is started until one can be. */
  failed: (agent: Name, fault: JailFault) => void
  /** Tries: at a start, and again those that failed. Resolves to whether that opened one. */
  look: () => Promise<boolean>
}>

/** What alerts call the machine's part. */
const MACHINE = 'bubblewrap'
/** Agents that are tried before the machine is blamed: one whose folders are broken, by whomever, closes no other's jail. */
const MOST_TRIED = 8

export function createWalls(given: WakeGiven): Walls {
  const closed = new Map<Name, JailFault>()
  let machine: string | undefined
  let hasLooked = false
  let looking: Promise<boolean> | undefined

  const jailOf = (agent: Name): Jail | undefined => given.identity(agent)?.jail

  async function judge(agent: Name, fault: JailFault): Promise<void> {
    const ofMachine = await faultOfMachine([agent, ...jailed().filter((other) => other !== agent)], 'again')
    if (ofMachine === undefined) return tellAgent(agent, fault)
    closed.delete(agent)
    tellMachine(ofMachine)
  }

  function jailed(): Name[] {
    return [...given.config().agents.values()].filter(({ name, runner }) => runner && jailOf(name)).map(({ name }) => name)
  }

  /** undefined: a jail that shows the least could be made for one of them, or there is none who needs one. */
  async function faultOfMachine(agents: readonly Name[], again?: 'again'): Promise<string | undefined> {
    let why = agents.length > 0 ? faultOfHost(given.host(again)) : undefined
    if (why !== undefined) return why
    for (const agent of agents.slice(0, MOST_TRIED)) {
      const jail = jailOf(agent)
      why = jail && (await attempt(agent, { ...jail, mounts: [], readable: [] }))?.why
      if (why === undefined) return undefined
    }
    return why
  }

  function attempt(agent: Name, jail: Jail): Promise<JailFault | undefined> {
    return tryJail(given, jail, given.identity(agent)?.as)
  }

  function tellAgent(agent: Name, fault: JailFault): void {
    closed.set(agent, fault)
    given.raise({
      code: 'jail-unavailable',
      about: agent,
      agent,
      sentence: `The jail of ${agent} cannot be made (${fault.why}), so nothing is started for it; its mail waits in new/. It is tried again every half a minute.`,
      fix: fixOf(agent, fault),
    })
  }

  function tellMachine(why: string): void {
    machine = why
    given.raise({
      code: 'jail-unavailable',
      about: MACHINE,
      sentence: `No jail can be made on this machine (${why}), so no agent is started; mail waits in new/. It is tried again every half a minute.`,
      fix: given.host().bwrap ? 'penny doctor' : INSTALL_BWRAP,
    })
  }

  async function lookNow(): Promise<boolean> {
    if (hasLooked && machine === undefined && closed.size === 0) return false
    const before = machine
    const why = await faultOfMachine(jailed(), machine === undefined ? undefined : 'again')
    if (why !== undefined) {
      tellMachine(why)
      return false
    }
    machine = undefined
    given.clear('jail-unavailable', MACHINE)
    // Of a daemon before this one.
    if (!hasLooked) for (const agent of given.config().agents.keys()) given.clear('jail-unavailable', agent)
    hasLooked = true
    let opened = before !== undefined
    for (const agent of [...closed.keys()]) {
      const own = jailOf(agent)
      const still = own && (await attempt(agent, own))
      if (still !== undefined) {
        tellAgent(agent, still)
        continue
      }
      closed.delete(agent)
      given.clear('jail-unavailable', agent)
      opened = true
    }
    return opened
  }

  return {
    fault: (agent) => (jailOf(agent) ? (machine ?? closed.get(agent)?.why) : undefined),
    failed: (agent, fault) => {
      closed.set(agent, fault)
      judge(agent, fault).catch((cause: unknown) => given.log('error', 'a jail could not be tried', { agent, why: String(cause) }))
    },
    look: () => {
      looking ??= lookNow().finally(() => {
        looking = undefined
      })
      return looking
    },
  }
}

function fixOf(agent: Name, { kind }: JailFault): string {
  switch (kind) {
    case 'machine':
      return INSTALL_BWRAP
    case 'mounts':
      return `\${EDITOR:-vi} ${shellWord(`policies/agents/${agent}.md`)}`
    case 'start':
      return `penny jail ${shellWord(agent)} -- true`
  }
}
