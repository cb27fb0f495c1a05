/** The answer itself: its blocks, and the events of a stream that tells them. Source: "Streaming messages" of platform.claude.com/docs. */
import type { Random } from '../../fuzz/random.ts'
import type { Answer, Block } from './options.ts'

export type Event = Readonly<{ name: string; data: object /** Produced with it. */; tokens: number }>

export type Message = Readonly<{
  id: string
  model: string
  content: readonly object[]
  stopReason: string
  inputUsage: Readonly<Record<string, unknown>>
  outputTokens: number
  iterations?: readonly object[]
}>

const WORDS = 'the mail is read and sorted by its sender then a note goes out to whoever waits for it while others work on'.split(' ')
const LETTERS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

export function makeId(prefix: string, random: Random): string {
  return `${prefix}_01${Array.from({ length: 22 }, () => LETTERS[random.below(LETTERS.length)]).join('')}`
}

/** `most`: the request's max_tokens. */
export function blocksOf(answer: Answer, plain: number, most: number, random: Random): { blocks: Block[]; outputTokens: number; stopReason: string } {
  if (answer.content === undefined) {
    const wanted = answer.outputTokens ?? plain
    const outputTokens = Math.max(1, Math.min(wanted, most))
    const text = Array.from({ length: outputTokens }, () => random.pick(WORDS)).join(' ')
    return { blocks: [{ type: 'text', text }], outputTokens, stopReason: answer.stopReason ?? (wanted > most ? 'max_tokens' : 'end_turn') }
  }
  const given: readonly Block[] = typeof answer.content === 'string' ? [{ type: 'text', text: answer.content }] : answer.content
  const blocks = given.map((block) => (block.type === 'tool_use' ? { ...block, id: block.id ?? makeId('toolu', random) } : block))
  const outputTokens = answer.outputTokens ?? blocks.reduce((sum, block) => sum + tokensOf(block), 0)
  const stopReason = answer.stopReason ?? (blocks.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn')
  return { blocks, outputTokens, stopReason }
}

function tokensOf(block: Block): number {
  return Math.max(1, Math.ceil(Buffer.byteLength(JSON.stringify(block)) / 4))
}

export function contentOf(block: Block): object {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, citations: null }
    case 'thinking':
      return { type: 'thinking', thinking: block.thinking, signature: signatureOf(block.thinking) }
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: block.input }
  }
}

function signatureOf(thinking: string): string {
  return Buffer.from(`signed:${thinking.length}`).toString('base64')
}

/** As a whole. */
export function bodyOf(message: Message): object {
  const { id, model, content, stopReason } = message
  return { id, type: 'message', role: 'assistant', model, content, stop_reason: stopReason, stop_sequence: null, usage: usageOf(message, message.outputTokens) }
}

function usageOf({ inputUsage, iterations }: Message, outputTokens: number): object {
  return { ...inputUsage, output_tokens: outputTokens, service_tier: 'standard', ...(iterations ? { iterations } : {}) }
}

/** As a stream, in deltas of about so many tokens. */
export function eventsOf(message: Message, blocks: readonly Block[], tokensADelta: number): Event[] {
  const { iterations, ...plain } = message
  const start = { ...bodyOf({ ...plain, content: [], stopReason: 'end_turn' }), stop_reason: null, usage: usageOf(plain, Math.min(1, message.outputTokens)) }
  const events: Event[] = [told('message_start', { message: start })]
  const weights = blocks.map(tokensOf)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  let left = message.outputTokens
  for (const [index, block] of blocks.entries()) {
    const tokens = index === blocks.length - 1 ? left : Math.min(left, Math.round((message.outputTokens * (weights[index] as number)) / all))
    left -= tokens
    events.push(told('content_block_start', { index, content_block: emptyOf(block) }))
    if (index === 0) events.push(told('ping', {}))
    const pieces = cut(textOf(block), Math.max(1, Math.ceil(tokens / tokensADelta)))
    for (const [n, piece] of pieces.entries()) {
      const share = Math.round((tokens * (n + 1)) / pieces.length) - Math.round((tokens * n) / pieces.length)
      events.push(told('content_block_delta', { index, delta: deltaOf(block, piece) }, share))
    }
    if (block.type === 'thinking')
      events.push(told('content_block_delta', { index, delta: { type: 'signature_delta', signature: signatureOf(block.thinking) } }))
    events.push(told('content_block_stop', { index }))
  }
  const usage = { ...message.inputUsage, output_tokens: message.outputTokens, ...(iterations ? { iterations } : {}) }
  events.push(told('message_delta', { delta: { stop_reason: message.stopReason, stop_sequence: null }, usage }), told('message_stop', {}))
  return events
}

function told(name: string, data: object, tokens = 0): Event {
  return { name, data: { type: name, ...data }, tokens }
}

function emptyOf(block: Block): object {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: '' }
    case 'thinking':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'tool_use':
      return { type: 'tool_use', id: block.id, name: block.name, input: {} }
  }
}

function textOf(block: Block): string {
  switch (block.type) {
    case 'text':
      return block.text
    case 'thinking':
      return block.thinking
    case 'tool_use':
      return JSON.stringify(block.input)
  }
}

function deltaOf(block: Block, piece: string): object {
  switch (block.type) {
    case 'text':
      return { type: 'text_delta', text: piece }
    case 'thinking':
      return { type: 'thinking_delta', thinking: piece }
    case 'tool_use':
      return { type: 'input_json_delta', partial_json: piece }
  }
}

/** By characters, so that none is cut in half. */
function cut(text: string, count: number): string[] {
  const characters = [...text]
  const size = Math.max(1, Math.ceil(characters.length / count))
  const pieces: string[] = []
  for (let at = 0; at < characters.length; at += size) pieces.push(characters.slice(at, at + size).join(''))
  return pieces
}
