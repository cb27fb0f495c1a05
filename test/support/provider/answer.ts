/** Sends one answer, as it is told to behave: whole, in a stream with its own speed, broken off, silent. */
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../fuzz/random.ts'
import { errorBody, refuse } from './errors.ts'
import type { Admitted } from './judge.ts'
import { blocksOf, bodyOf, contentOf, type Event, eventsOf, type Message, makeId } from './message.ts'
import type { Answer, Behaviour, Block, Seen } from './options.ts'
import { draw, type State } from './state.ts'

type Sending = Readonly<{ state: State; res: ServerResponse; seen: Seen; random: Random; gone: AbortSignal; headers: () => Record<string, string> }>
type Told = Exclude<Behaviour, { kind: 'error' }>

/** A delta is about what comes in this time; all at once, it is this many tokens. */
const DELTA_MS = 40
const DELTA_TOKENS = 16

export async function sendAnswer(sending: Sending, admitted: Admitted, told: Told): Promise<void> {
  const { state, random, seen } = sending
  const { model, body, level, prompt } = admitted
  const { blocks, outputTokens, stopReason } = blocksOf(told, draw(state.weather().outputTokens, random), Number(body['max_tokens']), random)
  prompt.keep()
  const input = told.inputTokens ?? prompt.input
  const usage = { inputTokens: input, cacheWriteTokens: prompt.write, cacheReadTokens: prompt.read, outputTokens: 0 }
  level.consume(input - prompt.input, state.now())
  seen.usage = usage
  const produce = (tokens: number): void => {
    level.produce(tokens, state.now())
    usage.outputTokens += tokens
  }
  const message: Message = {
    id: makeId('msg', random),
    model,
    content: blocks.map(contentOf),
    stopReason,
    inputUsage: {
      input_tokens: input,
      cache_creation_input_tokens: prompt.write,
      cache_read_input_tokens: prompt.read,
      cache_creation: { ephemeral_5m_input_tokens: prompt.write, ephemeral_1h_input_tokens: 0 },
    },
    outputTokens,
    ...(told.iterations ? { iterations: told.iterations } : {}),
  }
  if (!(await pause(sending, draw(told.latencyMs ?? state.weather().latencyMs, random)))) return
  if (told.kind !== 'answer' && told.kind !== 'stream-error' && !told.afterEvents) return told.kind === 'hang' ? silence(sending) : breakOff(sending)
  if (body['stream'] === true) await sendStream(sending, message, blocks, told, produce)
  else await sendWhole(sending, message, told, produce)
}

async function sendWhole(sending: Sending, message: Message, told: Told, produce: (tokens: number) => void): Promise<void> {
  const { state, res, seen, headers } = sending
  if (!(await pause(sending, (message.outputTokens / speedOf(state, told)) * 1000))) return
  produce(message.outputTokens)
  const body = Buffer.from(JSON.stringify(bodyOf(message)))
  res.writeHead(200, { ...headers(), 'content-type': 'application/json', 'content-length': body.length })
  seen.status = 200
  seen.firstByteAtMs = state.now()
  if (told.kind === 'answer' || told.kind === 'stream-error') return void res.end(body)
  res.write(body.subarray(0, body.length >> 1))
  if (told.kind === 'hang') return silence(sending)
  return breakOff(sending)
}

async function sendStream(sending: Sending, message: Message, blocks: readonly Block[], told: Told, produce: (tokens: number) => void): Promise<void> {
  const { state, res, seen, headers } = sending
  const speed = speedOf(state, told)
  const events = eventsOf(message, blocks, Number.isFinite(speed) ? Math.max(1, (speed * DELTA_MS) / 1000) : DELTA_TOKENS)
  res.writeHead(200, { ...headers(), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  seen.status = 200
  const startMs = state.now()
  seen.firstByteAtMs = startMs
  let produced = 0
  for (const [n, event] of events.entries()) {
    if (told.kind !== 'answer' && n === (told.afterEvents ?? 0)) return endEarly(sending, told)
    produced += event.tokens
    const dueMs = startMs + (produced / speed) * 1000
    if (event.tokens > 0 && dueMs - state.now() > 2 && !(await pause(sending, dueMs - state.now()))) return
    write(res, event)
    if (event.tokens > 0) produce(event.tokens)
  }
  res.end()
}

function write(res: ServerResponse, { name, data }: Pick<Event, 'name' | 'data'>): void {
  res.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}

async function endEarly(sending: Sending, told: Exclude<Told, { kind: 'answer' }>): Promise<void> {
  if (told.kind === 'hang') return silence(sending)
  if (told.kind === 'cut') return breakOff(sending)
  const { res, seen } = sending
  const { type, message } = refuse(529, told.message, told.type === undefined ? {} : { type: told.type })
  seen.type = type
  write(res, { name: 'error', data: errorBody({ type, message }, seen.requestId ?? '') })
  res.end()
}

function speedOf(state: State, { tokensPerSecond }: Answer): number {
  return tokensPerSecond ?? state.weather().tokensPerSecond
}

/** False: the client has gone meanwhile. */
async function pause({ gone }: Sending, ms: number): Promise<boolean> {
  if (gone.aborted) return false
  if (ms <= 0) return true
  try {
    await sleep(ms, undefined, { signal: gone })
    return true
  } catch {
    return false
  }
}

/** Until the client goes. */
function silence({ gone }: Sending): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve()
    gone.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function breakOff({ res, seen }: Sending): Promise<void> {
  seen.end = 'cut'
  // What was written is sent first: it breaks in the middle, not before.
  await new Promise<void>((resolve) => {
    if (!res.headersSent || !res.socket) return resolve()
    res.write('', () => resolve())
  })
  res.socket?.destroy()
}
