/** The conversation of `builtin: anthropic`: asks, does what the model calls for, goes on; begins anew by a checkpoint when its context is nearly full. */
import type Anthropic from '@anthropic-ai/sdk'
import { OWN_ORDER, readUsage } from '../model/index.ts'
import { readCheckpoint, writeCheckpoint, writeProgress } from './checkpoint.ts'
import { ask } from './client.ts'
import { EXIT, Failure } from './exit.ts'
import { promptFor } from './prompt.ts'
import type { Situation } from './situation.ts'
import { TOOLS, useTool } from './tools.ts'
import type { Transcript } from './transcript.ts'

type Turn = Anthropic.MessageParam
type Results = Anthropic.ToolResultBlockParam[]

export type Work = Readonly<{
  client: Anthropic
  model: string
  maxTokens: number
  maxTurns: number
  /** In tokens. */
  window: number
  system: string
  situation: Situation
  /** The same by the message's file as it is now. */
  now: () => Situation
  transcript: Transcript
  /** For the run's log. */
  tell: (line: string) => void
}>

/** Of the window: from here on there is still room for the answer that is the checkpoint. */
const NEARLY_FULL = 0.75
/** What one tool may give back, of the window, and at most. Characters; a token is about four. */
const SHARE_OF_TOOL = 0.1
const MOST_CHARACTERS = 30_000
const LEAST_CHARACTERS = 1_000
const CHARACTERS_A_TOKEN = 3

const ORDER = `${OWN_ORDER} After it you have nothing but your role, the message, and this text.
The first line is "progress: " and how far you are, in a few words. Then, under headings:
## Done - what need not be done again
## Decided - each decision, word for word where the words matter, and why
## Constraints - what must be kept to
## Next - what comes next, with paths and ids`

/** The model's last answer. */
export async function converse(work: Work): Promise<string> {
  const { transcript, situation, maxTurns, window, tell } = work
  let turns = transcript.read()
  const kept = turns.at(-1)
  // It was only not printed any more.
  if (kept?.role === 'assistant') return textOf(kept.content)
  const isKept = turns.length > 0
  if (isKept) tell(`going on with ${turns.length} turns of the run before`)
  else turns = begin(work, situation, readCheckpoint(situation))
  for (let n = 1; n <= maxTurns; n++) {
    const asked = await askWith(work, turns, isKept && n === 1)
    const { answer } = asked
    turns = asked.turns
    const full = answer ? contextOf(answer) / window : 1
    if (turns.length === 1 && full >= NEARLY_FULL)
      throw new Failure(EXIT.badConfiguration, `role, message and checkpoint alone fill the context window of ${window} tokens: context_window: must be larger`)
    const done = answer && (await follow(work, turns, answer))
    if (answer) say(tell, answer, full)
    if (done?.reply !== undefined) return done.reply
    if (full + (done?.characters ?? 0) / CHARACTERS_A_TOKEN / window >= NEARLY_FULL) turns = await startAnew(work, turns)
  }
  throw new Failure(EXIT.failed, `it has not ended after ${maxTurns} turns, which is the limit (max_turns: in its file)`)
}

/** The answer to these turns; where the run before left them, and they are what is wrong, to a beginning. */
async function askWith(work: Work, turns: Turn[], isKept: boolean): Promise<Readonly<{ turns: Turn[]; answer: Anthropic.Message | undefined }>> {
  try {
    return { turns, answer: await ask(work.client, bodyOf(work, turns)) }
  } catch (cause) {
    if (!isKept || !(cause instanceof Failure) || cause.status !== EXIT.failed) throw cause
    work.tell(`the turns of the run before cannot be gone on with: ${cause.sentence}`)
    const fresh = begin(work, work.situation, readCheckpoint(work.situation))
    return { turns: fresh, answer: await ask(work.client, bodyOf(work, fresh)) }
  }
}

/** Does what the answer calls for. `reply`: it was the last one. `characters`: what the next request has more than this one. */
async function follow(work: Work, turns: Turn[], { content, stop_reason: why }: Anthropic.Message): Promise<Readonly<{ reply?: string; characters: number }>> {
  const add = (turn: Turn): void => {
    turns.push(turn)
    work.transcript.add(turn)
  }
  add({ role: 'assistant', content: content.length > 0 ? content : '(nothing)' })
  if (why === 'refusal') throw new Failure(EXIT.failed, `the model refuses to go on: ${textOf(content).slice(0, 500)}`)
  const calls = content.filter((block) => block.type === 'tool_use')
  if (calls.length === 0 && why !== 'max_tokens') return { reply: textOf(content), characters: 0 }
  const results = await useAll(work, calls, why === 'max_tokens')
  add({ role: 'user', content: results.length > 0 ? results : 'Your answer was cut off: go on, in smaller steps.' })
  return { characters: JSON.stringify(results).length }
}

function begin({ transcript }: Work, situation: Situation, checkpoint: string | undefined): Turn[] {
  const first: Turn = { role: 'user', content: promptFor(situation, checkpoint) }
  transcript.begin(first)
  return [first]
}

async function startAnew(work: Work, turns: readonly Turn[]): Promise<Turn[]> {
  const { situation, tell } = work
  const text = (await orderCheckpoint(work, turns)) ?? (await orderCheckpoint(work, turns.slice(0, -2)))
  if (text === undefined) throw new Failure(EXIT.failed, 'its context is full, and the model wrote no checkpoint')
  writeCheckpoint(situation, text)
  const progress = /^progress: *(.+)$/im.exec(text)?.[1]
  if (progress !== undefined) writeProgress(situation, progress)
  tell(`its context was nearly full: checkpoint written to home/checkpoint.md${progress === undefined ? '' : ` (${progress})`}`)
  return begin(work, work.now(), readCheckpoint(situation))
}

/** undefined: it does not fit either, or nothing was written. */
async function orderCheckpoint(work: Work, turns: readonly Turn[]): Promise<string | undefined> {
  const last = turns.at(-1)
  const order = { type: 'text' as const, text: ORDER }
  const ordered: Turn[] =
    last?.role === 'user'
      ? [
          ...turns.slice(0, -1),
          { role: 'user', content: [...(typeof last.content === 'string' ? [{ type: 'text' as const, text: last.content }] : last.content), order] },
        ]
      : [...turns, { role: 'user', content: [order] }]
  const answer = await ask(work.client, { ...bodyOf(work, ordered), tool_choice: { type: 'none' } })
  return (answer && textOf(answer.content)) || undefined
}

/** One after the other: a model may call for steps that build on each other. */
async function useAll(work: Work, calls: readonly Anthropic.ToolUseBlock[], isCut: boolean): Promise<Results> {
  const { situation, window } = work
  const mostCharacters = Math.max(LEAST_CHARACTERS, Math.min(MOST_CHARACTERS, Math.floor(window * SHARE_OF_TOOL * CHARACTERS_A_TOKEN)))
  const given = { mostCharacters, progress: (line: string) => writeProgress(situation, line) }
  const results: Results = []
  for (const [i, { id, name, input }] of calls.entries()) {
    const isWhole = !isCut || i < calls.length - 1
    const { text, isError } = isWhole
      ? await useTool(given, situation.home, name, input)
      : { text: 'not done: your answer was cut off within this call', isError: true }
    results.push({ type: 'tool_result', tool_use_id: id, content: text, ...(isError ? { is_error: true } : {}) })
  }
  return results
}

/** With marks for the cache: what is before the newest turn is read from it. */
function bodyOf({ model, maxTokens, system }: Work, turns: readonly Turn[]): Parameters<typeof ask>[1] {
  const cached = { cache_control: { type: 'ephemeral' as const } }
  const last = turns.at(-1)?.content ?? []
  const content = typeof last === 'string' ? [{ type: 'text' as const, text: last }] : [...last]
  const end = content.pop()
  const marked = end && (end.type === 'text' || end.type === 'tool_result') ? { ...end, ...cached } : end
  return {
    model,
    max_tokens: maxTokens,
    system: [{ type: 'text', text: system, ...cached }],
    tools: [...TOOLS],
    messages: marked ? [...turns.slice(0, -1), { role: 'user', content: [...content, marked] }] : [...turns],
  }
}

function contextOf(answer: Anthropic.Message): number {
  return readUsage(Buffer.from(JSON.stringify({ usage: answer.usage })))?.contextTokens ?? 0
}

function textOf(content: Turn['content'] | Anthropic.Message['content']): string {
  if (typeof content === 'string') return content
  return content
    .flatMap((block) => (block.type === 'text' ? [block.text] : []))
    .join('\n')
    .trim()
}

function say(tell: Work['tell'], { content }: Anthropic.Message, full: number): void {
  for (const block of content) {
    if (block.type === 'text') tell(block.text)
    else if (block.type === 'tool_use') tell(`→ ${block.name} ${JSON.stringify(block.input).slice(0, 300)}`)
  }
  tell(`(context ${Math.round(full * 100)} %)`)
}
