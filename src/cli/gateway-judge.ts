/** What came of asking a provider, as a sentence and a command. */
import type { GatewayState } from '../core/control.ts'
import { shellWord } from '../core/text.ts'
import type { Tested } from '../gateway/index.ts'
import { EXIT, Refusal } from './exit.ts'

export type Judged = Readonly<{ ok: boolean; what: string; fix?: string }>

export function judge(provider: string, tested: Tested, { without_key }: GatewayState): Judged {
  const file = `policies/providers/${provider}.yaml`
  switch (tested.kind) {
    case 'unreachable':
      return { ok: false, what: `nobody answers there (${tested.why})`, fix: `grep base_url ${shellWord(file)}` }
    case 'no-provider':
      throw new Refusal(
        EXIT.tryAgain,
        `the gateway does not know ${provider} yet`,
        'it was configured a moment ago',
        `penny gateway test ${shellWord(provider)}`,
      )
    case 'no-key': {
      const why = without_key.find((one) => one.provider === provider)?.why
      return { ok: false, what: `there is no key to ask with${why === undefined ? '' : `: ${why}`}`, fix: 'penny alerts' }
    }
    case 'answered':
      return judgeAnswer(provider, tested, file)
  }
}

function judgeAnswer(provider: string, { verdict, status, ms, requestId }: Extract<Tested, { kind: 'answered' }>, file: string): Judged {
  const said = `status ${status}${requestId === undefined ? '' : `, request ${requestId}`}`
  const again = `sleep 60; penny gateway test ${shellWord(provider)}`
  switch (verdict) {
    case 'ok':
      return { ok: true, what: `address and key are right (${Math.round(ms)} ms)` }
    case 'bad-key':
      return { ok: false, what: `it refuses the key (${said})`, fix: `grep key_file ${shellWord(file)}   # put a key that is valid into that file` }
    case 'spend-cap':
      return {
        ok: false,
        what: `money, or a limit of spending, is used up (${said})`,
        fix: again,
      }
    case 'forbidden':
      return {
        ok: false,
        what: `the key is valid, but may not do this (${said})`,
        fix: `grep key_file ${shellWord(file)}   # it needs another key, or more rights`,
      }
    case 'refused':
    case 'overloaded':
      return { ok: true, what: `it answers, and has no room just now (${said}); requests wait in line`, fix: again }
    case 'failed':
      return { ok: false, what: `it fails (${said})`, fix: again }
    case 'too-long':
    case 'wrong':
      return { ok: false, what: `it does not know GET /v1/models there (${said})`, fix: `grep base_url ${shellWord(file)}   # without /v1 at its end` }
  }
}
