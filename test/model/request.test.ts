import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { type RequestFacts, readRequest } from '../../src/model/index.ts'

const read = (value: unknown, space?: number): RequestFacts | undefined => readRequest(Buffer.from(JSON.stringify(value, null, space)))

t.test('what a request asks for is read wherever it stands', async (t) => {
  const body = {
    messages: [
      { role: 'user', content: '"model": "other", "stream": false \\" \\\\' },
      { role: 'user', content: [{ type: 'text', text: 'ü', cache_control: { type: 'ephemeral' } }] },
    ],
    system: 'be brief',
    tools: [{ name: 'model', input_schema: { model: 1, max_tokens: 5 } }],
    metadata: { user_id: 'somebody' },
    max_tokens: 1024,
    stream: true,
    model: 'claude-opus-4-8',
  }
  for (const space of [0, 2]) {
    const facts = read(body, space)
    t.match(facts, { model: 'claude-opus-4-8', stream: true, maxTokens: 1024, userId: 'somebody', hasTools: true, caches: true, images: 0 })
    const bytes = Buffer.from(JSON.stringify(body, null, space))
    const { newest, system } = facts as RequestFacts
    t.same(
      newest.map(({ from, to }): unknown => JSON.parse(bytes.toString('utf8', from, to))),
      body.messages.toReversed(),
      'the newest first',
    )
    t.same(JSON.parse(bytes.toString('utf8', system?.from, system?.to)), 'be brief')
  }
  t.match(read({ tools: [], stream: 'true', max_tokens: -1, model: 7 }), { hasTools: false, stream: false, model: undefined, maxTokens: undefined })
  t.equal(read({ content: 'a text with \\"cache_control\\" in it' })?.caches, false)
})

t.test('a key that is written twice, or with escapes, counts as the provider reads it', async (t) => {
  const facts = (text: string): RequestFacts | undefined => readRequest(Buffer.from(text))
  t.equal(facts('{"model":"cheap","model":"dear"}')?.model, 'dear')
  t.equal(facts('{"model":"cheap","mod\\u0065l":"dear"}')?.model, 'dear')
  t.match(facts('{"messages":[{"a":1}],"messages":[]}'), { newest: [] })
  const spaced = ' {"messages" : [ {"a":[1,2]} , {"b":"],["} ] } '
  const last = facts(spaced)?.newest[0]
  t.equal(spaced.slice(last?.from, last?.to), '{"b":"],["}')
})

t.test('for every JSON object it says what parsing says', async (t) => {
  const json = fc.jsonValue({ maxDepth: 4 })
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), json)
  const object = fc.record({ model: scalar, stream: scalar, max_tokens: scalar, messages: fc.oneof(fc.array(json), json), '"\\': json }, { requiredKeys: [] })
  fc.assert(
    fc.property(object, fc.constantFrom(0, 1), (value, space) => {
      const bytes = Buffer.from(JSON.stringify(value, null, space))
      const facts = readRequest(bytes)
      const parsed = JSON.parse(bytes.toString()) as typeof value
      t.equal(facts?.model, typeof parsed.model === 'string' ? parsed.model : undefined)
      t.equal(facts?.stream, parsed.stream === true)
      const newest: unknown[] = Array.isArray(parsed.messages) ? parsed.messages.slice(-4).reverse() : []
      t.same(
        facts?.newest.map(({ from, to }): unknown => JSON.parse(bytes.toString('utf8', from, to))),
        newest,
      )
    }),
    { numRuns: 300 },
  )
})

t.test('bytes that are no object are none, and nothing is read past their end', async (t) => {
  for (const text of [
    '',
    '[]',
    '7',
    'null',
    '{',
    '{"model"',
    '{"model":',
    '{"model":"x',
    '{"model":"x\\"}',
    '{"a":[1,2',
    '{"a" 1}',
    '{a:1}',
    '{"a":}',
    '{"a":1 2}',
  ])
    t.equal(readRequest(Buffer.from(text)), undefined, text)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readRequest(bytes)
      readRequest(Buffer.concat([Buffer.from('{"model":'), bytes]))
    }),
  )
})

t.test('images and documents are weighed apart from text', async (t) => {
  const image = randomBytes(30_000).toString('base64')
  const pdf = Buffer.concat([Buffer.from('%PDF-1.7'), randomBytes(60_000)]).toString('base64')
  const facts = read({
    messages: [{ content: [{ source: { type: 'base64', data: image } }, { source: { type: 'base64', data: pdf } }, { text: 'plain words '.repeat(1000) }] }],
  })
  t.match(facts, { images: 1, imageBytes: image.length, documentBytes: pdf.length })
})

t.test('no body takes much longer to be read than another of its size, however it is written', async (t) => {
  const BYTES = 8 * 1024 ** 2
  const filled = (before: string, unit: (n: number) => string, after: string): Buffer => {
    const parts = [before]
    for (let n = 0, bytes = 0; bytes < BYTES; n++) {
      const part = unit(n)
      bytes += part.length
      parts.push(part)
    }
    return Buffer.from(parts.join('') + after)
  }
  const ms = (body: Buffer): number => {
    const took = [0, 1, 2].map(() => {
      const begunMs = performance.now()
      t.ok(readRequest(body))
      return performance.now() - begunMs
    })
    return Math.min(...took)
  }
  const usual = ms(filled('{"model":"x","messages":[', () => '[[[[],[]]]],', '[]]}'))
  for (const [what, body] of Object.entries({
    'keys at its top': filled('{"model":"x"', (n) => `,"${n.toString(36)}":1`, '}'),
    'one key again and again': filled('{"model":"x"', () => ',"a":1', '}'),
    'escaped keys': filled('{"model":"x"', () => ',"\\u0061":1', '}'),
    'escaped quotes': filled('{"model":"x","a":"', () => '\\"', '"}'),
    backslashes: filled('{"model":"x","a":"', () => '\\\\', '"}'),
    'short strings': filled('{"model":"x","a":[', () => '"",', '""]}'),
    'long strings': filled('{"model":"x","a":[', () => `"${'A'.repeat(2_050)}",`, '""]}'),
  }))
    t.ok(ms(body) < 4 * usual, what)
})

t.test('more keys at the top than any client writes are told, and not read', async (t) => {
  const keys = (count: number) => read(Object.fromEntries([...Array(count - 1).keys()].map((n) => [`k${n}`, n] as [string, unknown]).concat([['model', 'x']])))
  t.match(keys(1_000), { model: 'x', isCrowded: undefined })
  t.match(keys(1_001), { model: undefined, isCrowded: true })
})
