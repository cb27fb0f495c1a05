// A provider of models that is none: it answers in a moment, and bears so many requests a minute, as the real ones say it in their headers.
import { once } from 'node:events'
import { createServer } from 'node:http'

const MINUTE_MS = 60_000
/** The one that clients take for the provider's. */
export const KEY = 'sk-ant-demo'

/** @param {{ perMinute: number, burst: number, answerMs: () => number }} given `burst`: so many at once, after a rest */
export const startProvider = async ({ perMinute, burst, answerMs }) => {
  /** @type {{ status: number, atMs: number }[]} */
  const seen = []
  let level = burst
  let lastMs = performance.now()
  const server = createServer((req, res) => {
    req.resume().once('end', () => {
      const nowMs = performance.now()
      level = Math.min(burst, level + ((nowMs - lastMs) * perMinute) / MINUTE_MS)
      lastMs = nowMs
      const isLetIn = level >= 1
      if (isLetIn) level--
      seen.push({ status: isLetIn ? 200 : 429, atMs: nowMs })
      const headers = {
        'content-type': 'application/json',
        'anthropic-ratelimit-requests-limit': String(perMinute),
        'anthropic-ratelimit-requests-remaining': String(Math.floor(level)),
      }
      if (!isLetIn) return res.writeHead(429, { ...headers, 'retry-after': '1' }).end(REFUSED)
      setTimeout(() => res.writeHead(200, headers).end(ANSWER), answerMs())
    })
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

const REFUSED = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'This request would exceed your rate limit.' } })
const ANSWER = JSON.stringify({
  id: 'msg_demo',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-4-8',
  content: [{ type: 'text', text: 'Done.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 20, output_tokens: 2 },
})
