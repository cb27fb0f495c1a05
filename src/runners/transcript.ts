/** The conversation on disk, a line a message, so that a run that was killed goes on with it. The agent's own file: what does not read ends there. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type Anthropic from '@anthropic-ai/sdk'

type Turn = Anthropic.MessageParam

export type Transcript = Readonly<{
  /** As an earlier run left it, fit to be sent: empty where there is none. */
  read: () => Turn[]
  add: (turn: Turn) => void
  /** In place of all that was. */
  begin: (turn: Turn) => void
  remove: () => void
}>

export function transcriptOf(home: string, id: string): Transcript {
  const path = join(home, '.anthropic', `${id}.jsonl`)
  return {
    read: () => mended(readTurns(path)),
    add: (turn) => appendFileSync(path, `${JSON.stringify(turn)}\n`),
    begin: (turn) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      writeFileSync(`${path}.fresh`, `${JSON.stringify(turn)}\n`, { mode: 0o600 })
      renameSync(`${path}.fresh`, path)
    },
    remove: () => rmSync(path, { force: true }),
  }
}

function readTurns(path: string): Turn[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
  const turns: Turn[] = []
  for (const line of text.split('\n')) {
    try {
      const turn = JSON.parse(line) as Partial<Turn>
      if ((turn.role !== 'user' && turn.role !== 'assistant') || (typeof turn.content !== 'string' && !Array.isArray(turn.content))) break
      turns.push({ role: turn.role, content: turn.content })
    } catch {
      // The last line of a run that was killed while it wrote.
      break
    }
  }
  return turns
}

/** Each call of a tool must have its result. */
function mended(turns: readonly Turn[]): Turn[] {
  const last = turns.at(-1)
  if (last?.role !== 'assistant' || typeof last.content === 'string') return [...turns]
  const calls = last.content.filter((block) => block.type === 'tool_use')
  if (calls.length === 0) return [...turns]
  const results = calls.map(({ id }) => ({
    type: 'tool_result' as const,
    tool_use_id: id,
    is_error: true,
    content: 'The run was cut off here: this may have been done, or not. Look before you do it again.',
  }))
  return [...turns, { role: 'user', content: results }]
}
