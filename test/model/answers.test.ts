import fc from 'fast-check'
import t from 'tap'
import { judgeAnswer, judgeStreamError, type Verdict } from '../../src/model/index.ts'

const problem = (type: string, message: string, details?: object): Buffer =>
  Buffer.from(JSON.stringify({ type: 'error', error: { type, message, ...(details ? { details } : {}) }, request_id: 'req_1' }))
const judge = (status: number, body?: Buffer, headers: Record<string, string> = {}): Verdict => judgeAnswer({ status, headers, ...(body ? { body } : {}) }, 0)

const MONTH = 'You have reached your API usage limits: your organization has crossed its monthly API usage threshold.'
const OWN = 'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.'
const WORKSPACE = 'You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.'

t.test('a limit that was met says how long to wait, if it says it', async (t) => {
  const limited = problem('rate_limit_error', 'This request would exceed your organization’s rate limit of 30,000 input tokens per minute')
  t.same(judge(429, limited, { 'retry-after': '12' }), { kind: 'refused', retryAfterMs: 12_000 })
  t.same(judge(429, limited), { kind: 'refused' }, 'without a time it is a limit that nobody told of')
  t.same(judge(429), { kind: 'refused' }, 'also without a body')
  t.same(judge(529, problem('overloaded_error', 'Overloaded')), { kind: 'overloaded' })
  t.same(judge(529, undefined, { 'retry-after': '3' }), { kind: 'overloaded', retryAfterMs: 3000 })
  t.same(judge(503, problem('overloaded_error', 'Overloaded')), { kind: 'overloaded' })
})

t.test('money that has run out is never waited for', async (t) => {
  t.same(judge(429, problem('rate_limit_error', MONTH, { error_code: 'enforced_spend_limit_reached' })), { kind: 'spend-cap' })
  t.same(judge(429, problem('rate_limit_error', 'worded otherwise', { error_code: 'enforced_spend_limit_reached' })), { kind: 'spend-cap' })
  t.same(judge(429, problem('rate_limit_error', WORKSPACE)), { kind: 'spend-cap' })
  t.same(judge(400, problem('invalid_request_error', OWN)), { kind: 'spend-cap' })
  t.same(judge(400, problem('invalid_request_error', WORKSPACE)), { kind: 'spend-cap' })
  t.same(judge(400, problem('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.')), { kind: 'spend-cap' })
  t.same(judge(402, problem('billing_error', 'Payment required')), { kind: 'spend-cap' })
})

t.test('a message that repeats what the request said is no word of money', async (t) => {
  for (const echoed of [OWN, WORKSPACE, 'Your credit balance is too low']) {
    t.same(judge(404, problem('not_found_error', `model: ${echoed}`)), { kind: 'wrong' })
    t.same(judge(404, problem('not_found_error', `model ${echoed} is not there`)), { kind: 'wrong' })
    t.same(judge(400, problem('invalid_request_error', `messages.0.content.0.type: Input tag '${echoed}' found`)), { kind: 'wrong' })
    t.same(judgeStreamError(problem('not_found_error', echoed).toString()), { kind: 'wrong' })
  }
})

t.test('what is wrong with key, request or provider is told apart', async (t) => {
  t.same(judge(401, problem('authentication_error', 'invalid x-api-key')), { kind: 'bad-key' })
  t.same(judge(403, problem('permission_error', 'no')), { kind: 'forbidden' })
  const long = problem('invalid_request_error', 'prompt is too long: 213462 tokens > 200000 maximum')
  t.same(judge(400, long), { kind: 'too-long', tokens: 213_462, maximum: 200_000 })
  t.same(judge(400, problem('invalid_request_error', 'prompt is too long')), { kind: 'too-long' })
  t.same(judge(400, problem('invalid_request_error', 'max_tokens: Field required')), { kind: 'wrong' })
  t.same(judge(404, problem('not_found_error', 'model: x')), { kind: 'wrong' })
  t.same(judge(413), { kind: 'wrong' })
  for (const status of [500, 502, 503, 504]) t.same(judge(status, problem('api_error', 'Internal server error')), { kind: 'failed' })
  t.same(judge(302), { kind: 'failed' }, 'an API redirects nobody')
  t.same(judge(200, long), { kind: 'ok' })
})

t.test('an error within a stream is judged by its type', async (t) => {
  const said = (type: string, message = '', details?: object): Verdict => judgeStreamError(problem(type, message, details).toString())
  t.same(said('overloaded_error', 'Overloaded'), { kind: 'overloaded' })
  t.same(said('rate_limit_error'), { kind: 'refused' })
  t.same(said('rate_limit_error', MONTH, { error_code: 'enforced_spend_limit_reached' }), { kind: 'spend-cap' })
  t.same(said('authentication_error'), { kind: 'bad-key' })
  t.same(said('billing_error'), { kind: 'spend-cap' })
  t.same(said('permission_error'), { kind: 'forbidden' })
  t.same(said('invalid_request_error', 'prompt is too long: 5 tokens > 4 maximum'), { kind: 'too-long', tokens: 5, maximum: 4 })
  t.same(said('api_error'), { kind: 'failed' })
  t.same(judgeStreamError('not JSON'), { kind: 'failed' })
})

t.test('a body that is none, or huge, changes nothing but the words', async (t) => {
  for (const body of ['', '{', 'null', '[]', '{"error":7}', '{"error":{"message":{},"details":[]}}', `{"error":{"message":"${'x'.repeat(70_000)}"}}`]) {
    t.same(judge(429, Buffer.from(body)), { kind: 'refused' }, body.slice(0, 40))
    t.same(judge(400, Buffer.from(body)), { kind: 'wrong' }, body.slice(0, 40))
  }
  fc.assert(fc.property(fc.integer({ min: 100, max: 999 }), fc.uint8Array(), (status, body) => typeof judge(status, Buffer.from(body)).kind === 'string'))
})
