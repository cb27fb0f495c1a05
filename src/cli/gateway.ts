/** `penny gateway`: how the model gateway stands, keys for programs outside a jail, and whether a provider really answers. */
import { counted, shellWord } from '../core/text.ts'
import type { GatewayStanding, Tested } from '../gateway/index.ts'
import { needDaemon } from './client.ts'
import { type Call, type Command, expectWords, flag } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { judge } from './gateway-judge.ts'
import { showStanding } from './gateway-screen.ts'
import { fixOf, paint, say, sayJson, tell } from './print.ts'
import { rootOf } from './root.ts'
import { needAgent } from './roster.ts'

const VERBS = ['status', 'key', 'test'] as const
const ADD = `cd policies && mkdir -p providers && \${EDITOR:-vi} providers/anthropic.yaml   # docs/gateway.md has one to copy`

export const command: Command = {
  summary: 'the model gateway: its limits and queues, keys for programs, a test of providers',
  usage: ['gateway [status]', 'gateway key NAME [--revoke]', 'gateway test [PROVIDER]'],
  examples: [
    ['gateway status', 'limits, levels, queues; what each agent took today and how full its context is'],
    ['gateway key legal', 'a key for a program of legal outside a jail, shown this once; the one before still counts'],
    ['gateway key legal --revoke', 'takes all keys of legal back'],
    ['gateway test', 'really asks every provider; exit 1 where one does not answer as it should'],
  ],
  options: { revoke: { type: 'boolean', about: 'with key: takes all keys of that agent back' } },
  run: async (call) => {
    const [verb = 'status', ...words] = call.words
    if (flag(call, 'revoke') && verb !== 'key') refuse(EXIT.usage, 'penny gateway: --revoke belongs to key', `not to ${verb}`, 'penny help gateway')
    switch (verb) {
      case 'status':
        expectWords(call, 0, 1, '[status]')
        return status(call)
      case 'key':
        expectWords(call, 2, 2, 'key NAME')
        return key(call, words[0] ?? '')
      case 'test':
        expectWords(call, 1, 2, 'test [PROVIDER]')
        return test(call, words[0])
      // What the daemon starts: no person calls it, so that help does not tell of it.
      case 'run':
        return (await import('./gateway-run.ts')).runGateway()
      default:
        return refuse(EXIT.usage, `penny gateway: there is no ${JSON.stringify(verb)}`, `it is one of ${VERBS.join(' ')}`, 'penny help gateway')
    }
  },
}

async function status(call: Call): Promise<number> {
  const daemon = await needDaemon(rootOf(call))
  const { gateway, standing, why } = await daemon.ask({ verb: 'gateway' })
  // Of both the names of providers, once.
  const { providers, ...rest } = { providers: [], ...standing }
  if (call.json) sayJson(call, { ...gateway, ...rest, standing: providers })
  else if (gateway.state === 'none') say(call, `no provider is configured, so no gateway runs   ${paint(call, 'dim', fixOf(call.surroundings, ADD))}`)
  else showStanding(call, gateway, standing as GatewayStanding | undefined, why)
  return gateway.state === 'none' || (standing && gateway.without_key.length === 0) ? EXIT.ok : EXIT.no
}

async function key(call: Call, word: string): Promise<number> {
  const root = rootOf(call)
  const daemon = await needDaemon(root)
  if (flag(call, 'revoke')) {
    // Also of an agent that is gone.
    const made = await daemon.ask({ verb: 'gateway-key', agent: word, revoke: true })
    const revoked = 'revoked' in made ? made.revoked : 0
    if (call.json) sayJson(call, { agent: word, revoked })
    else if (revoked > 0) say(call, `${counted(revoked, 'key')} of ${word} taken back; what is under way with them ends by itself`)
    if (revoked === 0) needAgent(root, word, 'gateway key', [])
    if (revoked === 0 && !call.json) tell(call, `${word} has no key`)
    return revoked > 0 ? EXIT.ok : EXIT.no
  }
  const made = await daemon.ask({ verb: 'gateway-key', agent: needAgent(root, word, 'gateway key', []) })
  if (!('key' in made)) throw new Error('the daemon made no key')
  if (call.json) sayJson(call, { agent: word, key: made.key, url: made.url })
  else {
    tell(call, `a key for ${word}, shown this once; the one before it still counts, older ones no more. For the program:`)
    say(call, `export ANTHROPIC_BASE_URL=${shellWord(made.url)}`)
    say(call, `export ANTHROPIC_API_KEY=${shellWord(made.key)}`)
  }
  const { gateway } = await daemon.ask({ verb: 'gateway' })
  if (gateway.state === 'none') tell(call, `nothing listens there yet, for no provider is configured\n   fix: ${fixOf(call.surroundings, ADD)}`)
  return EXIT.ok
}

/** One after the other: a provider that does not answer is waited for. */
async function test(call: Call, named: string | undefined): Promise<number> {
  const daemon = await needDaemon(rootOf(call))
  const { gateway } = await daemon.ask({ verb: 'gateway' })
  if (gateway.config_invalid) refuse(EXIT.badConfiguration, 'no provider is asked', 'what stands in policies/ cannot be used as it is', 'penny alerts')
  if (named === undefined && gateway.providers.length === 0) refuse(EXIT.noSuchThing, 'there is no provider to ask', 'policies/providers/ names none', ADD)
  let isWell = true
  for (const provider of named === undefined ? gateway.providers : [named]) {
    const tested = (await daemon.ask({ verb: 'gateway-test', provider })).tested as Tested
    const { ok, what, fix } = judge(provider, tested, gateway)
    isWell &&= ok
    if (call.json) {
      sayJson(call, { provider, ok, ...tested, ...(fix === undefined ? {} : { fix: fixOf(call.surroundings, fix) }) })
      continue
    }
    say(call, `${paint(call, ok ? 'green' : 'red', ok ? 'ok   ' : 'WRONG')} ${provider}: ${what}`)
    if (fix !== undefined) say(call, `      fix: ${fixOf(call.surroundings, fix)}`)
  }
  return isWell ? EXIT.ok : EXIT.no
}
