/** Reads along what passes: usage, errors in a stream, where the answer itself begins. Nothing of it is changed. */
import { createStreamReader, readUsage, type StreamReader, type StreamState, type Usage } from '../model/index.ts'
import type { Clock } from '../system/types.ts'
import type { UpstreamAnswer } from '../system/upstream.ts'

export type Tap = Readonly<{
  isStream: boolean
  /** To be read now: whether it may be passed on depends on it. */
  push: (chunk: Buffer) => void
  /** It is being passed on: read after that, and before the next question. */
  follow: (chunk: Buffer) => void
  /** Of a stream: as far as it has come. */
  state: () => StreamState | undefined
  /** `isCut`: it has not come to its end. */
  usage: (isCut: boolean) => Usage | undefined
}>

/** A longer answer is passed on all the same; its usage is not known then. Bytes. */
const MOST_KEPT = 16 * 1024 ** 2
const BYTES_PER_TOKEN = 3.5

type Reader = Omit<Tap, 'follow'>

/** `inputTokens`: what its request was thought to take; undefined: nothing. */
export function tapOf(clock: Pick<Clock, 'soon'>, answer: Pick<UpstreamAnswer, 'headers'>, inputTokens: number | undefined): Tap {
  const reader = readerOf(answer, inputTokens)
  let unread: Buffer[] = []
  const catchUp = (): void => {
    const chunks = unread
    unread = []
    for (const chunk of chunks) reader.push(chunk)
  }
  return {
    isStream: reader.isStream,
    push: (chunk) => {
      catchUp()
      reader.push(chunk)
    },
    follow: (chunk) => {
      if (unread.push(chunk) === 1) clock.soon(catchUp)
    },
    state: () => {
      catchUp()
      return reader.state()
    },
    usage: (isCut) => {
      catchUp()
      return reader.usage(isCut)
    },
  }
}

function readerOf({ headers }: Pick<UpstreamAnswer, 'headers'>, inputTokens: number | undefined): Reader {
  if (/^text\/event-stream\b/i.test(headers['content-type'] ?? '')) {
    const reader = createStreamReader()
    return { isStream: true, push: reader.push, state: reader.state, usage: () => soFar(reader) }
  }
  const kept: Buffer[] = []
  let size = 0
  return {
    isStream: false,
    push: (chunk) => {
      size += chunk.length
      if (size <= MOST_KEPT) kept.push(chunk)
      else kept.length = 0
    },
    state: () => undefined,
    usage: (isCut) => {
      if (isCut) return size > 0 && inputTokens !== undefined ? guessed(inputTokens, size) : undefined
      return size <= MOST_KEPT ? readUsage(Buffer.concat(kept)) : undefined
    },
  }
}

/** What an answer took is told at its end: whoever leaves before that has had the rest all the same. */
function guessed(inputTokens: number, bytes: number): Usage {
  const outputTokens = Math.ceil(bytes / BYTES_PER_TOKEN)
  const contextTokens = inputTokens + outputTokens
  return { inputTokens, cacheWriteTokens: 0, cacheWriteHourTokens: 0, cacheReadTokens: 0, outputTokens, contextTokens, compacted: false }
}

/** Whoever leaves just before the end, where the output is told, has used it all the same. */
function soFar(reader: StreamReader): Usage | undefined {
  const { usage, stopReason } = reader.state()
  if (!usage || stopReason !== undefined) return usage
  return { ...usage, outputTokens: Math.max(usage.outputTokens, reader.passedTokens()) }
}
