import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { call, started } from './started.ts'

t.test('a caller comes through its own socket, and bytes go through as they are', async (t) => {
  const house = await started(t, { options: { keepBodies: true }, callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  const body = `{ "model" : "claude-opus-4-8","max_tokens": 50, "messages":[{"role":"user","content":"H\\u0065llo"}], "x": 12345678901234567890.10 }`
  const answer = await call({ socketPath: house.socketOf('legal') }, { body, path: '/v1/messages?beta=true', headers: { 'anthropic-beta': 'a,b' } })
  t.equal(answer.status, 200)
  const [seen] = house.upstream.seen
  t.equal(seen?.sha256, createHash('sha256').update(body).digest('hex'))
  t.equal(seen?.path, '/v1/messages?beta=true')
  t.match(seen?.headers, { 'x-api-key': 'sk-ant-test', 'anthropic-beta': 'a,b' })
  t.equal((await call({ socketPath: house.socketOf('pmo') }, { path: '/agents/pmo/v1/messages' })).status, 200, 'it may name itself')
  const other = await call({ socketPath: house.socketOf('pmo') }, { path: '/agents/legal/v1/messages' })
  t.equal(other.status, 404, 'and nobody else')
  t.match(JSON.parse(other.text), { type: 'error', error: { type: 'not_found_error' } })
  t.equal(statSync(house.socketOf('legal')).mode & 0o777, 0o660)
  t.equal(statSync(`${house.folder}/gateway/ledger`).mode & 0o777, 0o700)
  const [day] = readdirSync(`${house.folder}/gateway/ledger`)
  const lines = readFileSync(`${house.folder}/gateway/ledger/${day}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  t.match(
    lines,
    [
      { agent: 'legal', status: 200 },
      { agent: 'pmo', status: 200 },
    ],
    'the ledger says who it was',
  )
})
