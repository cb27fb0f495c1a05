/** What commands ask about the model gateway. */
import type { Config } from '../core/config.ts'
import { type Name, nearest } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { readLedger } from '../gateway/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { nextTurn } from '../system/slices.ts'
import type { Clock, Disk } from '../system/types.ts'
import { Refused, type Verbs } from './control.ts'
import type { GatewaySide } from './gateway.ts'
import { usesGateway } from './gateway-settings.ts'
import type { Policies } from './policies.ts'

export type GatewayVerbsGiven = Readonly<{ clock: Clock; disk: Disk; layout: Layout; config: () => Config; gateway: GatewaySide; policies: Policies }>

const NO_SUCH = 66
const TRY_AGAIN = 75
const BAD_CONFIGURATION = 78
/** Lines between two turns of the event loop: about two milliseconds. */
const SLICE = 200

export function createGatewayVerbs(given: GatewayVerbsGiven): Pick<Verbs, 'gateway' | 'gateway-key' | 'gateway-test' | 'ledger'> {
  const { clock, disk, layout, config, gateway, policies } = given

  function needAgent(name: string): Name {
    const agent = config().agents.get(name as Name)
    if (!agent) {
      const near = nearest(name, config().agents.keys())
      throw new Refused(NO_SUCH, `no agent ${name}${near === undefined ? '' : ` (did you mean ${near}?)`}`, 'penny agents')
    }
    if (!usesGateway(agent))
      throw new Refused(
        BAD_CONFIGURATION,
        `${name} may not use the gateway`,
        `\${EDITOR:-vi} ${shellWord(`policies/agents/${name}.md`)}   # network:`,
        'its file says network: none',
      )
    return agent.name
  }

  return {
    gateway: async () => {
      // Whoever asks has often changed it a moment ago.
      policies.look()
      const summary = { ...gateway.summary(), ...(policies.invalid() ? { config_invalid: true as const } : {}) }
      if (summary.state === 'none') return { gateway: summary }
      try {
        return { gateway: summary, standing: await gateway.standing() }
      } catch (cause) {
        return { gateway: summary, why: cause instanceof Error ? cause.message : String(cause) }
      }
    },
    'gateway-key': ({ agent, revoke }) => {
      if (revoke) {
        // Also of one that is gone, or may no longer.
        const revoked = gateway.callerKeys.revoke(agent as Name)
        gateway.configure()
        return { revoked }
      }
      policies.look()
      const name = needAgent(agent)
      const key = gateway.callerKeys.make(name)
      gateway.configure()
      const { host, port } = config().org.gateway
      return { key, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/agents/${name}` }
    },
    'gateway-test': async ({ provider }) => {
      policies.look()
      if (!config().providers.has(provider)) {
        const near = nearest(provider, config().providers.keys())
        throw new Refused(NO_SUCH, `no provider ${provider}${near === undefined ? '' : ` (did you mean ${near}?)`}`, 'penny gateway status')
      }
      try {
        return { tested: await gateway.test(provider) }
      } catch (cause) {
        throw new Refused(TRY_AGAIN, 'the gateway cannot be asked', 'penny gateway status', cause instanceof Error ? cause.message : String(cause))
      }
    },
    ledger: async ({ sinceMs }, say, gone) => {
      let count = 0
      for (const entry of readLedger(disk, layout.ledger, { fromMs: sinceMs })) {
        if (gone.aborted) break
        await say(entry)
        if (++count % SLICE === 0) await nextTurn(clock)
      }
      return {}
    },
  }
}
