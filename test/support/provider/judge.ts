/** Whether a request is answered at all: key, form, money, room and limits, in the order in which the API looks. */
import type { IncomingHttpHeaders } from 'node:http'
import { outOfMoney, type Refusal, refuse } from './errors.ts'
import type { Level } from './limits.ts'
import type { Seen } from './options.ts'
import type { State } from './state.ts'

export type Body = Readonly<Record<string, unknown>>
export type Prompt = Readonly<{ read: number; write: number; input: number; keep: () => void }>
export type Admitted = Readonly<{ kind: 'admitted'; model: string; body: Body; level: Level; prompt: Prompt }>
export type Refused = Readonly<{ kind: 'refused'; refusal: Refusal; level?: Level }>

export const MAX_BODY = 32 * 1024 * 1024

/** The organisation, or why there is none. */
export function judgeKey(state: State, headers: IncomingHttpHeaders, seen: Seen): string | Refusal {
  const header = headers['x-api-key']
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
  const key = typeof header === 'string' ? header : bearer
  if (key === undefined) return refuse(401, 'x-api-key header is required')
  seen.key = key
  const account = state.accounts.get(key)
  if (!account) return refuse(401, typeof header === 'string' ? 'invalid x-api-key' : 'Invalid bearer token')
  seen.organisation = account.organisation
  return account.organisation
}

export function readBody(bytes: Buffer): Readonly<{ body: Body }> | Readonly<{ refusal: Refusal }> {
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { body: body as Body }
    return { refusal: refuse(400, 'Input should be a valid dictionary') }
  } catch (error) {
    return { refusal: refuse(400, `The request body is not valid JSON: ${(error as Error).message}`) }
  }
}

export function judgeForm(state: State, body: Body, needs: readonly string[]): Refusal | undefined {
  const missing = needs.find((key) => body[key] === undefined)
  if (missing !== undefined) return refuse(400, `${missing}: Field required`)
  if (!Array.isArray(body['messages'])) return refuse(400, 'messages: Input should be a valid list')
  if (body['messages'].length === 0) return refuse(400, 'messages: at least one message is required')
  const { model, max_tokens: most } = body
  if (typeof model !== 'string' || !state.knows(model)) return refuse(404, `model: ${String(model)}`)
  if (needs.includes('max_tokens') && !(Number.isInteger(most) && (most as number) >= 1))
    return refuse(400, 'max_tokens: Input should be greater than or equal to 1')
  return undefined
}

export function admit(state: State, organisation: string, body: Body, seen: Seen): Admitted | Refused {
  const wrong = judgeForm(state, body, ['model', 'max_tokens', 'messages'])
  if (wrong) return { kind: 'refused', refusal: wrong }
  const model = body['model'] as string
  seen.model = model
  const nowMs = state.now()
  const spent = state.accounts.get(seen.key ?? '')?.spent
  if (spent) return { kind: 'refused', refusal: outOfMoney(spent, nowMs) }
  if (state.randomOf(seen.n).below(1_000_000) < state.overloadedRate() * 1_000_000) return { kind: 'refused', refusal: refuse(529) }

  const level = state.limits.of(organisation, model)
  const early = level.early(nowMs)
  if (early) seen.early = early
  const prompt = state.cache.look(organisation, body, nowMs)
  const tokens = prompt.read + prompt.write + prompt.input
  const window = state.windowOf(model)
  if (tokens > window) return { kind: 'refused', refusal: refuse(400, `prompt is too long: ${tokens} tokens > ${window} maximum`), level }
  const refusal = level.admit(model, prompt.input + prompt.write, nowMs)
  return refusal ? { kind: 'refused', refusal, level } : { kind: 'admitted', model, body, level, prompt }
}
