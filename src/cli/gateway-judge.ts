/** What came of asking a provider, as a sentence and a command. */
import type { GatewayState } from '../core/control.ts'
import { shellWord } from '../core/text.ts'
import type { Tested } from '../gateway/index.ts'
import { EXIT, Refusal } from './exit.ts'

export type Judged = Readonly<{ ok: boolean; what: string; fix?: string }>

/** What the code of a failed connection means to whoever wrote the address. */
const WHYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EPROTO: 'https is not what is spoken there',
  ETIMEDOUT: 'it says nothing',
}

export function judge(provider: string, tested: Tested, { without_key }: GatewayState): Judged {
  const file = `policies/providers/${provider}.yaml`
  switch (tested.kind) {
    case 'unreachable':
      return {
        ok: false,
        what: `nobody answers at its base_url${WHYS[tested.why] === undefined ? '' : `: ${WHYS[tested.why]}`} (${tested.why})`,
        fix: `\${EDITOR:-vi} ${shellWord(file)}   # base_url:`,
      }
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
      return { ok: false, what: `it refuses the key (${said})`, fix: 'penny alerts   # provider-key has the command that writes another' }
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
      return {
        ok: false,
        what: `it does not know GET /v1/models there (${said})`,
        fix: `sed -i -E '/^base_url:/s,/v1(/[a-z]*)*$,,' ${shellWord(file)} && penny gateway test ${shellWord(provider)}   # base_url has no /v1 at its end`,
      }
  }
}
