import { request } from 'node:http'
import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { judgeAnswer } from '../../../src/model/index.ts'
import { ask, clientOf, failure, long, started } from './client.ts'
import { KEY } from './provider.ts'

t.test('each error comes as the class that the official client has for it', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  const classes = [
    { status: 400, type: 'invalid_request_error', as: Anthropic.BadRequestError },
    { status: 401, type: 'authentication_error', as: Anthropic.AuthenticationError },
    { status: 402, type: 'billing_error', as: Anthropic.PaymentRequiredError },
    { status: 403, type: 'permission_error', as: Anthropic.PermissionDeniedError },
    { status: 404, type: 'not_found_error', as: Anthropic.NotFoundError },
    { status: 413, type: 'request_too_large', as: Anthropic.ContentTooLargeError },
    { status: 429, type: 'rate_limit_error', as: Anthropic.RateLimitError },
    { status: 500, type: 'api_error', as: Anthropic.InternalServerError },
    { status: 504, type: 'timeout_error', as: Anthropic.GatewayTimeoutError },
    { status: 529, type: 'overloaded_error', as: Anthropic.OverloadedError },
  ]
  for (const { status, type, as } of classes) {
    provider.control.next({ kind: 'error', status })
    const error = await failure(client.messages.create(ask()))
    t.type(error, as, String(status))
    t.match(error, { status, type, requestID: /^req_01\w{22}$/ })
    t.match(error.error, { type: 'error', error: { type, message: String }, request_id: error.requestID ?? 'none' })
  }
})

t.test('a wrong key, a wrong form, a wrong path are refused as the API does', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  t.match(await failure(clientOf(provider, 'sk-ant-other').messages.create(ask())), { status: 401, apiMessage: 'Invalid bearer token' })
  t.match(await failure(client.messages.create(ask('x', { model: 'gpt' }))), { status: 404, apiMessage: 'model: gpt' })
  t.match(await failure(client.messages.create(ask('x', { messages: [] }))), { status: 400, apiMessage: 'messages: at least one message is required' })
  t.match(await failure(client.messages.create(ask('x', { max_tokens: 0 }))), { status: 400, apiMessage: /^max_tokens: / })
  t.match(await failure(client.post('/v1/messages', { body: { model: 'claude-opus-4-8', messages: [] } })), { apiMessage: 'max_tokens: Field required' })
  t.match(await failure(client.post('/v1/messages', { body: [1] })), { status: 400, apiMessage: 'Input should be a valid dictionary' })
  t.match(await failure(client.get('/v1/elsewhere')), { status: 404, type: 'not_found_error' })
  t.match(await failure(client.get('/v1/messages')), { status: 405 })
  t.match(await failure(client.messages.create(ask(long(8_400_000)))), { status: 413, type: 'request_too_large' })

  const raw = (headers: Record<string, string>, body: string): Promise<unknown> =>
    fetch(`${provider.url}/v1/messages`, { method: 'POST', headers, body }).then((response) => response.json())
  t.match(await raw({ 'x-api-key': KEY }, '{}'), { error: { message: 'anthropic-version: header is required' } })
  t.match(await raw({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }, '{'), { error: { message: /^The request body is not valid JSON: / } })
  t.match(
    await raw({ authorization: `Bearer ${KEY}`, 'anthropic-version': '2023-06-01' }, '{}'),
    { error: { message: 'model: Field required' } },
    'either header for a key',
  )
  t.match(await raw({ 'x-api-key': 'sk-ant-other' }, '{}'), { error: { message: 'invalid x-api-key' } })
  t.match(await raw({}, '{}'), { error: { type: 'authentication_error', message: 'x-api-key header is required' } })

  provider.control.removeKey(KEY)
  t.match(await failure(client.messages.create(ask())), { status: 401 }, 'a key that was taken away')
  provider.control.addKey('sk-ant-new')
  t.ok(await clientOf(provider, 'sk-ant-new').messages.create(ask()))
})

t.test('a prompt that is too long is told with both numbers', async (t) => {
  const provider = await started(t, { windows: { 'claude-opus-4-8': 500 } })
  const error = await failure(clientOf(provider).messages.create(ask(long(600))))
  t.match(error, { status: 400, type: 'invalid_request_error', apiMessage: /^prompt is too long: 6\d\d tokens > 500 maximum$/ })
  const body = Buffer.from(JSON.stringify(error.error))
  t.match(judgeAnswer({ status: 400, headers: {}, body }, 0), { kind: 'too-long', maximum: 500 })
})

t.test('money that has run out: with the code of a tier, with the words of a cap, and never with retry-after', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  for (const spent of ['tier', 'own', 'workspace'] as const) {
    provider.control.spend(KEY, spent)
    const error = await failure(client.messages.create(ask()))
    t.equal(error.status, spent === 'tier' ? 429 : 400)
    t.equal(error.errorCode, spent === 'tier' ? 'enforced_spend_limit_reached' : null)
    t.match(error.apiMessage, /You will regain access on \d{4}-\d\d-01 at 00:00 UTC\.$/)
    t.equal(error.headers?.get('retry-after'), null)
    const body = Buffer.from(JSON.stringify(error.error))
    t.same(judgeAnswer({ status: error.status ?? 0, headers: {}, body }, 0), { kind: 'spend-cap' })
  }
  provider.control.spend(KEY, undefined)
  t.ok(await client.messages.create(ask()))
})

t.test('what clients ask beside: models, tokens, whether anybody is there', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  const models = await client.models.list()
  t.ok(models.data.some(({ id }) => id === 'claude-opus-4-8'))
  const { max_tokens: _, ...counted } = ask(long(100))
  const { input_tokens: tokens } = await client.messages.countTokens(counted)
  const answer = await client.messages.create(ask(long(100)))
  t.equal(answer.usage.input_tokens, tokens)
  const status = await new Promise((resolve) => {
    request(`${provider.url}/`, { method: 'HEAD' }, (res) => resolve(res.resume().statusCode)).end()
  })
  t.equal(status, 200)
})
