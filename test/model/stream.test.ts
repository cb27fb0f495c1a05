import fc from 'fast-check'
import t from 'tap'
import { createStreamReader, type StreamState } from '../../src/model/index.ts'

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`
const START = event('message_start', {
  message: {
    id: 'msg_1',
    model: 'claude-opus-4-8',
    content: [],
    usage: { input_tokens: 25, cache_creation_input_tokens: 7, cache_read_input_tokens: 900, output_tokens: 1 },
  },
})
const DELTA = event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Grüße, "event: error"\n\n 😀' } })
const END = event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 15 } }) + event('message_stop', {})
const WHOLE = `${START}${event('content_block_start', { index: 0 })}${event('ping', {})}${DELTA}${event('content_block_stop', { index: 0 })}${END}`

function readIn(bytes: Buffer, cuts: readonly number[]): StreamState {
  const reader = createStreamReader()
  const at = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (let n = 1; n < at.length; n++) {
    // Whoever hands over a chunk may use its memory again.
    const chunk = Uint8Array.from(bytes.subarray(at[n - 1], at[n]))
    reader.push(chunk)
    chunk.fill(10)
  }
  return reader.state()
}

const EXPECTED = {
  model: 'claude-opus-4-8',
  begun: true,
  finished: true,
  stopReason: 'end_turn',
  usage: { inputTokens: 25, cacheWriteTokens: 7, cacheWriteHourTokens: 0, cacheReadTokens: 900, outputTokens: 15, contextTokens: 947, compacted: false },
}

t.test('the same is read from a stream however it is cut, with either line end', async (t) => {
  const forms = [WHOLE, WHOLE.replaceAll('\n', '\r\n'), `\ufeff${WHOLE}`].map((text) => Buffer.from(text))
  for (const form of forms) t.same(readIn(form, []), EXPECTED)
  fc.assert(
    fc.property(fc.constantFrom(...forms), fc.array(fc.nat(), { maxLength: 60 }), (form, cuts) => {
      t.strictSame(readIn(form, cuts), EXPECTED)
    }),
    { numRuns: 200 },
  )
  t.same(readIn(forms[1] as Buffer, [...Array(WHOLE.length + 100).keys()]), EXPECTED, 'byte by byte')
})

t.test('before the first content nothing has begun', async (t) => {
  const reader = createStreamReader()
  reader.push(Buffer.from(START + event('ping', {})))
  t.match(reader.state(), { begun: false, finished: false, usage: { inputTokens: 25, outputTokens: 1 } })
  reader.push(Buffer.from('event: content_block_start\ndata: {"type":"content_block_start","index":0}\n'))
  t.equal(reader.state().begun, false, 'an event is one when its empty line is there')
  reader.push(Buffer.from('\n'))
  t.match(reader.state(), { begun: true, finished: false })
})

t.test('an error within the stream is told, and what it had cost until then', async (t) => {
  const error = event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
  t.match(readIn(Buffer.from(START + error), []), { error: { kind: 'overloaded' }, begun: false, finished: false, usage: { inputTokens: 25 } })
})

t.test('counts are cumulative: the greatest holds, and later ones may tell more', async (t) => {
  const delta = (usage: object): string => event('message_delta', { delta: {}, usage })
  const iterations = [
    { type: 'compaction', input_tokens: 5000, output_tokens: 100 },
    { type: 'message', input_tokens: 30, output_tokens: 9 },
  ]
  const text = START + delta({ output_tokens: 9 }) + delta({ output_tokens: 4 }) + delta({ input_tokens: 30, output_tokens: 9, iterations })
  t.match(readIn(Buffer.from(text), []).usage, { inputTokens: 5030, outputTokens: 109, cacheReadTokens: 900, contextTokens: 39, compacted: true })
})

t.test('data in several lines is one text; fields in any order, comments and unknown fields are borne', async (t) => {
  const lines = [
    'data: {"type":"message_delta",',
    ': a comment',
    'id: 7',
    'data:"usage":',
    'retry: 10',
    'unknown',
    'data: {"output_tokens":77}}',
    'event:message_delta',
    '',
    '',
  ]
  t.match(readIn(Buffer.from(START + lines.join('\n')), []).usage, { outputTokens: 77 })
  t.match(readIn(Buffer.from(`data: {"type":"message_stop"}\n\n`), []), { finished: true }, 'an event without a name is called by its data')
})

t.test('garbage around and within the events is passed over', async (t) => {
  const noise = fc.array(
    fc.oneof(
      fc.constant(event('content_block_delta', { x: 1 })),
      fc.constant('event: message_delta\ndata: {"usage":\n\n'),
      fc.string(),
      fc.constant('\u0000\r\r\n\n'),
    ),
  )
  fc.assert(
    fc.property(noise, noise, (before, after) => {
      const state = readIn(Buffer.from(`${before.join('')}\n\n${START}${after.join('')}\n\n${END}`), [])
      return state.usage?.cacheReadTokens === 900 && state.usage.outputTokens === 15 && state.finished
    }),
    { numRuns: 300 },
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => !readIn(Buffer.from(bytes), [7, 90]).finished))
  t.pass('what is whole is still read')
})

t.test('a line without an end takes no memory, and the next event is read', async (t) => {
  const reader = createStreamReader()
  const piece = Buffer.alloc(1_000_000, 'x')
  reader.push(Buffer.from(`${START}event: message_delta\ndata: {"usage":{"output_tokens":99,"x":"`))
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 100; n++) reader.push(piece)
  const held = process.memoryUsage().arrayBuffers
  reader.push(Buffer.from('"}}\n\n'))
  t.equal(reader.state().usage?.outputTokens, 1, 'too long to be read')
  reader.push(Buffer.from(END))
  t.match(reader.state(), { begun: true, finished: true, usage: { outputTokens: 15 } })
  t.ok(held - before < 10_000_000, 'a hundred megabytes were not kept')
})

t.test('of an answer that is cut it is known about how long it was', async (t) => {
  const words = 'The quick brown fox jumps over the lazy dog. '.repeat(200)
  const parts = words.match(/.{1,24}/g) ?? []
  const delta = (text: string): object => ({ index: 0, delta: { type: 'text_delta', text } })
  const named = parts.map((text) => event('content_block_delta', delta(text))).join('')
  for (const text of [named, named.replace(/^event: .*\n/gm, '')]) {
    const reader = createStreamReader()
    reader.push(Buffer.from(START + text))
    t.equal(reader.state().usage?.outputTokens, 1, 'the provider has not said more')
    const perToken = words.length / reader.passedTokens()
    t.ok(perToken > 2.5 && perToken < 5, `${perToken} bytes a token`)
  }
})
