/** What an agent may write to its own socket: the process lives on, nobody else waits, and nothing of it goes elsewhere. */
import { connect } from 'node:net'
import t from 'tap'
import { KEY } from '../support/provider/provider.ts'
import { bodyOf, call, started } from './started.ts'

const post = (line: string, headers: string, body: string): string => `POST ${line} HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`
const length = (body: string): string => `content-length: ${Buffer.byteLength(body)}`
const inPieces = (text: string, bytes: number): string =>
  (text.match(new RegExp(`.{1,${bytes}}`, 'gs')) ?? []).map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')

t.test('odd requests are refused where they came in, and others are served meanwhile', async (t) => {
  const house = await started(t, { callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  const body = bodyOf()
  const here = length(body)
  const odd: Record<string, string> = {
    'an address of its own': post('http://evil.example/v1/messages', here, body),
    "another's name": post('/agents/pmo/v1/messages', here, body),
    'a way up': post('/v1/messages/../files', here, body),
    'a way up, hidden': post('/v1/%2e%2e/messages', here, body),
    'two slashes': post('//v1/messages', here, body),
    'a line in the query': post('/v1/messages?a=b%0d%0ax-api-key:%20c#d', here, body),
    'a tunnel': 'CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n',
    'two lengths': post('/v1/messages', `${here}\r\ncontent-length: 3`, body),
    'a length and chunks': post('/v1/messages', `${here}\r\ntransfer-encoding: chunked`, `0\r\n\r\n${post('/v1/files', here, body)}`),
    'a length that is none': post('/v1/messages', 'content-length: 1e3', body),
    'chunks that are hidden': post('/v1/messages', 'transfer-encoding: xchunked', `0\r\n\r\n${body}`),
    'a folded header': post('/v1/messages', `${here}\r\nx: a\r\n b: c`, body),
    'a bare line feed': post('/v1/messages', `${here}\nx-api-key: evil`, body),
    'a zero': post('/v1/messages', `${here}\r\nx: a\0b`, body),
    'a thousand at once': post('/v1/messages', 'content-length: 2', '{}').repeat(1_000),
    'byte by byte': post('/v1/messages', 'transfer-encoding: chunked', inPieces('x'.repeat(20_000), 1)),
    'no HTTP': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  }
  for (const [what, text] of Object.entries(odd)) {
    const client = connect(house.socketOf('legal'))
    let answer = ''
    client
      .on('error', () => undefined)
      .on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1')
      })
    client.end(text)
    await new Promise((resolve) => client.once('close', resolve))
    t.notMatch(answer, /^HTTP\/1\.1 2/, what)
    t.notMatch(answer, KEY, what)
    t.equal((await call({ socketPath: house.socketOf('pmo') })).status, 200, `others: ${what}`)
  }
  t.same(
    house.upstream.seen.filter(({ headers, path }) => path !== '/v1/messages' || headers['x-api-key'] !== KEY),
    [],
  )
  t.ok(house.upstream.seen.length <= Object.keys(odd).length + 1, 'of a thousand at once the first one at most')
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
})

t.test('what else may stand in a good request changes nothing: an upgrade, trailers, a header that is listed away', async (t) => {
  const house = await started(t)
  const body = bodyOf()
  for (const [headers, sent] of [
    [`${length(body)}\r\nconnection: upgrade\r\nupgrade: websocket`, body],
    [`${length(body)}\r\nexpect: 100-continue`, body],
    ['transfer-encoding: chunked\r\ntrailer: x-api-key', `${inPieces(body, 50)}0\r\nx-api-key: evil\r\nauthorization: Bearer evil\r\n\r\n`],
    [`${length(body)}\r\nconnection: x-api-key, content-length, host\r\nx-api-key: evil`, body],
  ] as const) {
    const client = connect(house.socketOf('legal'))
    client.on('error', () => undefined)
    client.write(post('/v1/messages', `anthropic-version: 2023-06-01\r\ncontent-type: application/json\r\n${headers}`, sent))
    let answer = ''
    for await (const chunk of client) {
      answer += String(chunk)
      if (answer.includes('message')) break
    }
    t.match(answer, /HTTP\/1\.1 200/, headers)
    const seen = house.upstream.seen.at(-1)
    t.equal(seen?.headers['x-api-key'], KEY)
    t.notMatch(JSON.stringify(seen?.headers), 'evil')
    for (const gone of ['upgrade', 'expect', 'trailer', 'transfer-encoding']) t.notOk(seen?.headers[gone], gone)
  }
})
