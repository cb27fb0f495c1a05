import { mkdtempSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { keyOf, startGateway } from '../lib/link.mjs'
import { KEY, startProvider } from '../lib/provider.mjs'
import { randomFrom } from '../lib/random.mjs'

export const title = 'Rate limits hit different at thirty'

const AGENTS = Array.from({ length: 30 }, (_, n) => ({ name: `agent-${n + 1}` }))
const PER_MINUTE = 900
const BURST = 15
const [SECONDS, COLUMN_MS] = [5, 250]
/** As the official client has it: two more tries, after what the provider says, or else half a second and more. */
const RETRIES = 2
const [FIRST_MS, MOST_MS] = [500, 8_000]
const SEED = 7
const BARS = [...' ▁▂▃▄▅▆▇█']

export async function play(stage) {
  stage.prose(`Thirty agents call a model over and over, with one key that bears ${PER_MINUTE} requests a minute. The model is a fake one on this machine
    that answers in a moment: no key is needed, and nothing leaves. The same thirty twice, at the same time: each for itself, with the retries
    of the official client, and through the gateway (penny gateway run), which was told nothing of the limit.`)
  const [naive, ours] = await Promise.all([run(stage, false), run(stage, true)])
  const rows = [
    ['each for itself', naive],
    ['the gateway', ours],
  ].flatMap(([who, side]) => [
    [who, 'answers', pictureOf(side, 200), String(countOf(side, 200))],
    ['', 'refusals', pictureOf(side, 429), String(countOf(side, 429))],
  ])
  stage.table(['WHO', 'GOT', `${SECONDS} SECONDS, LEFT TO RIGHT`, 'ALL'], rows, [])
  stage.prose(`Each for itself they gave up ${naive.lost} tasks, through the gateway ${ours.lost}.`)
  stage.expect(countOf(naive, 429) > 0 && naive.lost > 0, 'thirty naive clients were not refused')
  stage.expect(ours.reached429 === 0 && ours.lost === 0, `through the gateway ${ours.reached429} refusals reached agents, ${ours.lost} tasks were lost`)
  stage.checked('through the gateway no agent was refused, and no task was lost')
}

/** @param {boolean} isOurs */
async function run(stage, isOurs) {
  const chance = randomFrom(SEED)
  const provider = await startProvider({ perMinute: PER_MINUTE, burst: BURST, answerMs: () => 100 + 200 * chance() })
  const gateway = isOurs
    ? await startGateway({
        penny: resolve('dist/cli/penny.js'),
        dir: mkdtempSync(join(stage.desk, 'gateway-')),
        upstream: provider.url,
        key: KEY,
        agents: AGENTS,
      })
    : undefined
  const side = { seen: provider.seen, startMs: performance.now(), lost: 0, reached429: 0 }
  try {
    const untilMs = side.startMs + SECONDS * 1000
    await Promise.all(AGENTS.map(({ name }) => loop({ url: gateway?.urlOf(name) ?? provider.url, key: gateway ? keyOf(name) : KEY, chance, untilMs }, side)))
  } finally {
    await gateway?.stop()
    provider.stop()
  }
  return side
}

async function loop(given, side) {
  while (performance.now() < given.untilMs) if (!(await task(given, side))) side.lost++
}

/** One request with its retries; whether it was answered. What is asked when the time is over is not asked again, and not lost. */
async function task({ url, key, chance, untilMs }, side) {
  for (let n = 0; ; n++) {
    const answer = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }),
    })
    await answer.arrayBuffer()
    if (answer.ok) return true
    if (answer.status === 429) side.reached429++
    if (n === RETRIES) return false
    const toldMs = Number(answer.headers.get('retry-after')) * 1000
    const ms = toldMs > 0 ? toldMs : Math.min(MOST_MS, FIRST_MS * 2 ** n) * (1 - 0.25 * chance())
    if (performance.now() + ms > untilMs) return true
    await new Promise((after) => setTimeout(after, ms))
  }
}

const countOf = ({ seen }, status) => seen.filter((one) => one.status === status).length

/** The more in a column, the higher its bar. */
function pictureOf({ seen, startMs }, status) {
  const columns = new Array((SECONDS * 1000) / COLUMN_MS).fill(0)
  for (const one of seen) {
    const at = Math.floor((one.atMs - startMs) / COLUMN_MS)
    if (one.status === status && at < columns.length) columns[at]++
  }
  return columns.map((count) => BARS[count === 0 ? 0 : Math.min(BARS.length - 1, Math.ceil(count / 2))]).join('')
}
