// A provider of models that is none: it answers in a moment, and bears so many requests a minute, as the real ones say it in their headers.
import { once } from 'node:events'
import { createServer } from 'node:http'

const MINUTE_MS = 60_000
const CHARACTERS_A_TOKEN = 4
/** The one that clients take for the provider's. */
export const KEY = 'sk-ant-demo'

/**
 * `burst`: so many at once, after a rest. `answerTo`: the blocks that a model answers a request with; undefined: nothing, ever.
 * @param {{ perMinute?: number, burst?: number, answerMs: () => number, answerTo?: (asked: object) => object[] | undefined | Promise<object[] | undefined> }} given
 */
export const startProvider = async ({ perMinute = 1_000_000, burst = 1_000, answerMs, answerTo = () => [{ type: 'text', text: 'Done.' }] }) => {
  /** @type {{ status: number, atMs: number }[]} */
  const seen = []
  let level = burst
  let lastMs = performance.now()
  const server = createServer(async (req, res) => {
    const asked = await textOf(req)
    // Whether address and key are right costs nothing.
    if (req.method !== 'POST') return res.writeHead(200, JSON_TYPE).end(JSON.stringify({ data: [], has_more: false }))
    const nowMs = performance.now()
    level = Math.min(burst, level + ((nowMs - lastMs) * perMinute) / MINUTE_MS)
    lastMs = nowMs
    const isLetIn = level >= 1
    if (isLetIn) level--
    seen.push({ status: isLetIn ? 200 : 429, atMs: nowMs })
    const headers = {
      'anthropic-ratelimit-requests-limit': String(perMinute),
      'anthropic-ratelimit-requests-remaining': String(Math.floor(level)),
    }
    if (!isLetIn) return res.writeHead(429, { ...headers, ...JSON_TYPE, 'retry-after': '1' }).end(REFUSED)
    const body = JSON.parse(asked)
    const content = await answerTo(body)
    if (content === undefined) return
    const message = messageOf(content, Math.ceil(asked.length / CHARACTERS_A_TOKEN))
    setTimeout(() => {
      if (body.stream) res.writeHead(200, { ...headers, 'content-type': 'text/event-stream' }).end(streamOf(message))
      else res.writeHead(200, { ...headers, ...JSON_TYPE }).end(JSON.stringify(message))
    }, answerMs())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    seen,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const REFUSED = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'This request would exceed your rate limit.' } })

async function textOf(req) {
  const pieces = []
  for await (const piece of req) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

const messageOf = (content, inputTokens) => ({
  id: 'msg_demo',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8',
  content,
  stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: inputTokens, output_tokens: Math.ceil(JSON.stringify(content).length / CHARACTERS_A_TOKEN) },
})

/** Each block in one piece. */
function streamOf({ content, stop_reason, stop_sequence, usage, ...head }) {
  const blocks = content.flatMap((block, index) => {
    const isText = block.type === 'text'
    const delta = isText ? { type: 'text_delta', text: block.text } : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
    return [
      { type: 'content_block_start', index, content_block: isText ? { ...block, text: '' } : { ...block, input: {} } },
      { type: 'content_block_delta', index, delta },
      { type: 'content_block_stop', index },
    ]
  })
  const events = [
    { type: 'message_start', message: { ...head, content: [], stop_reason: null, stop_sequence, usage: { ...usage, output_tokens: 1 } } },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage },
    { type: 'message_stop' },
  ]
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
}
