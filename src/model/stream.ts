/**
 * What a stream of events says about itself, read beside the bytes that are passed on. Only the few events that tell usage, an error
 * or an end are parsed; content is skipped as bytes. Source of the form: "Server-sent events" of the HTML standard; of the events:
 * "Streaming messages" of the API's documentation.
 */
import { judgeStreamError, type Verdict } from './answers.ts'
import { type Fields, fieldsOf, readFields, textIn } from './json.ts'
import { type Usage, usageIn } from './usage.ts'

export type StreamState = Readonly<{
  model?: string
  usage?: Usage
  /** Something of the answer itself has come: from here on nobody else can answer this request. */
  begun: boolean
  stopReason?: string
  /** An `event: error` after the 200. */
  error?: Verdict
  /** The stream said that it is whole. */
  finished: boolean
}>

export type StreamReader = Readonly<{
  /** Bytes, in any chunking. */
  push: (chunk: Uint8Array) => void
  state: () => StreamState
  /** Tokens of the answer itself, about: the stream says how many at its end alone, and who is cut before that has had them all the same. */
  passedTokens: () => number
}>

/** An event that tells something is a few hundred bytes; longer ones are skipped as they come. */
const MAX_EVENT = 262_144
/** A line that comes byte by byte is put together now and then. */
const MAX_PIECES = 1024
const LF = 10
const CR = 13
const SPACE = 32
const TELLING = new Set(['message_start', 'message_delta', 'message_stop', 'error'])
const CONTENT = /^content_block_/
/** In data an end of a line is written as an escape. */
const BEGINNING = Buffer.from('\nevent: content_block_')
const DELTA = 'content_block_delta'
/** What stands around the words in each of them, and how long a token is. */
const AROUND = 82
const BYTES_PER_TOKEN = 3.5

/** Told without reading them: these bytes begin the answer itself. False: they may all the same. */
export function surelyBegins(bytes: Buffer): boolean {
  return bytes.includes(BEGINNING)
}

export function createStreamReader(): StreamReader {
  let model: string | undefined
  let usage: Usage | undefined
  let begun = false
  let stopReason: string | undefined
  let error: Verdict | undefined
  let finished = false
  let passed = 0

  /** The line that has no end yet. */
  let pieces: Buffer[] = []
  let size = 0
  /** The line has grown past all that tells something: skipped up to its end. */
  let skipping = false
  let first = true
  /** The event that has no end yet. */
  let name = ''
  let data: string[] = []
  let dataSize = 0

  function push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let at = 0
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, at)) {
      hold(bytes.subarray(at, end))
      at = end + 1
      takeLine()
    }
    // A copy: the chunk is the caller's, who may reuse it.
    if (!skipping) hold(Buffer.from(bytes.subarray(at)))
  }

  function hold(piece: Buffer): void {
    if (piece.length === 0 || skipping) return
    size += piece.length
    pieces.push(piece)
    if (pieces.length >= MAX_PIECES) pieces = [Buffer.concat(pieces)]
    if (size <= MAX_EVENT) return
    skipping = true
    pieces = []
  }

  function takeLine(): void {
    const line = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    const skipped = skipping
    if (skipped) pass(size)
    pieces = []
    size = 0
    skipping = false
    if (!skipped) return readLine(line)
    // Nothing but content is that long; what of the event was skipped is not parsed.
    begun = true
    dataSize = MAX_EVENT + 1
  }

  function readLine(whole: Buffer): void {
    let line = whole.at(-1) === CR ? whole.subarray(0, -1) : whole
    if (first && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) line = line.subarray(3)
    first = false
    if (line.length === 0) return dispatch()
    const colon = line.indexOf(58)
    const field = line.toString('latin1', 0, colon < 0 ? line.length : colon)
    const from = colon < 0 ? line.length : colon + (line[colon + 1] === SPACE ? 2 : 1)
    if (field === 'event') name = line.toString('utf8', from)
    else if (field === 'data') keep(line, from)
  }

  function pass(bytes: number): void {
    passed += Math.max(1, (bytes - AROUND) / BYTES_PER_TOKEN)
  }

  function keep(line: Buffer, from: number): void {
    if (name === DELTA) pass(line.length - from)
    if (name !== '' && !TELLING.has(name)) return
    dataSize += line.length - from
    if (dataSize > MAX_EVENT) data = []
    else data.push(line.toString('utf8', from))
  }

  function dispatch(): void {
    const text = dataSize > MAX_EVENT ? '' : data.join('\n')
    const named = name
    name = ''
    data = []
    dataSize = 0
    if (CONTENT.test(named)) begun = true
    else if (text !== '') takeEvent(named, readFields(text), text)
  }

  function takeEvent(named: string, fields: Fields | undefined, text: string): void {
    const type = named === '' ? (textIn(fields, 'type') ?? '') : named
    if (CONTENT.test(type)) begun = true
    if (type === DELTA) pass(text.length)
    if (type === 'error') error = judgeStreamError(text)
    if (type === 'message_stop') finished = true
    if (type === 'message_start') {
      const message = fieldsOf(fields?.['message'])
      model = textIn(message, 'model') ?? model
      usage = usageIn(message?.['usage'], usage)
    }
    if (type === 'message_delta') {
      stopReason = textIn(fieldsOf(fields?.['delta']), 'stop_reason') ?? stopReason
      usage = usageIn(fields?.['usage'], usage)
    }
  }

  return {
    push,
    passedTokens: () => Math.round(passed),
    state: () => ({
      begun,
      finished,
      ...(model === undefined ? {} : { model }),
      ...(usage === undefined ? {} : { usage }),
      ...(stopReason === undefined ? {} : { stopReason }),
      ...(error === undefined ? {} : { error }),
    }),
  }
}
