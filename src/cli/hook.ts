/** Hooks of coding agents: the one command whose exit status 2 means something, namely "block" (contract, page 4). */
import { join } from 'node:path'
import { CHECKPOINT, HOLDS, judgeCompaction, judgeTelling, MOST_ASKED } from '../context/index.ts'
import { textValue } from '../core/row.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { readHead } from './head.ts'
import { needSeat } from './hold.ts'
import { findOrder, lookHome, readPlainFile, readSaid, remember } from './hook-seen.ts'
import { say } from './print.ts'
import type { Seat } from './root.ts'

const BLOCK = 2
const HOOKS = { precompact: preCompact, posttooluse: postToolUse, sessionstart: sessionStart, settings } as const

export const command: Command = {
  summary: 'hooks of Claude Code: no context is compacted before its checkpoint',
  usage: ['hook precompact|posttooluse|sessionstart|settings'],
  examples: [
    ['mkdir -p ~/.claude && penny hook settings > ~/.claude/settings.json', 'inside its jail: all of them, for Claude Code'],
    ['hook precompact', 'exit 2, which blocks, until home/checkpoint.md is newer than the order; at most five times, or until 92 % is full'],
    ['hook posttooluse', 'tells the model once that a checkpoint was ordered'],
    ['hook sessionstart', 'gives the model progress and checkpoint of the message after a compaction or a restart'],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, 'precompact|posttooluse|sessionstart|settings')
    const [name = ''] = call.words
    const hook = Object.hasOwn(HOOKS, name) ? HOOKS[name as keyof typeof HOOKS] : undefined
    if (hook) return hook(call)
    return refuse(EXIT.usage, `penny hook: there is no hook ${JSON.stringify(name)}`, `there are ${Object.keys(HOOKS).join(', ')}`, 'penny help hook')
  },
}

async function preCompact(call: Call): Promise<number> {
  const seat = needSeat(call)
  const said = await readSaid(call)
  const order = findOrder(seat, said, call.surroundings.env['PENNY_ID'])
  const verdict = judgeCompaction({ nowMs: Date.now(), order, ...lookHome(seat, said) })
  if (!tryToRemember(call, seat, said, verdict.kind === 'block' ? verdict.asked : undefined)) return EXIT.ok
  if (verdict.kind === 'pass') {
    if (verdict.why !== 'there') call.surroundings.err('penny: this context is compacted without a checkpoint: it was asked for long enough\n')
    return EXIT.ok
  }
  call.surroundings.err(`This context is not compacted yet (${verdict.asked.times} of at most ${MOST_ASKED} times). ${wanted(call, seat)}\n`)
  return BLOCK
}

/** Some clients show what blocked a compaction to people alone: this is what the model itself is told. */
async function postToolUse(call: Call): Promise<number> {
  const seat = needSeat(call)
  const said = await readSaid(call)
  const order = findOrder(seat, said, call.surroundings.env['PENNY_ID'])
  const asked = judgeTelling({ nowMs: Date.now(), order, ...lookHome(seat, said) })
  // What cannot be remembered would be said after each tool.
  if (!asked || !tryToRemember(call, seat, said, asked)) return EXIT.ok
  const additionalContext = `Your context is nearly full and will be compacted. ${wanted(call, seat)}`
  say(call, JSON.stringify({ hookSpecificOutput: { hookEventName: 'PostToolUse', additionalContext } }))
  return EXIT.ok
}

/** Within one session what it wrote itself is the newest; another run is given what was kept for its message. */
async function sessionStart(call: Call): Promise<number> {
  const seat = needSeat(call)
  const { source } = await readSaid(call)
  const { env } = call.surroundings
  const message = env['PENNY_MESSAGE']
  if (message === undefined) return EXIT.ok
  const own = join(seat.workspace, 'home', CHECKPOINT)
  const kept = env['PENNY_CHECKPOINT']
  const paths = source === 'compact' ? [own, kept] : [kept]
  const found = paths.flatMap((path) => {
    const text = path === undefined ? undefined : readPlainFile(path)?.text.trim()
    return text ? [{ path, text }] : []
  })[0]
  const progress = textValue((await readHead(message))?.['progress'])
  const sealed = env['PENNY_SEALED']
  if (progress === undefined && !found && sealed === undefined) return EXIT.ok
  say(call, `You go on with a task that was begun in an earlier context. The task itself: ${message}`)
  if (progress !== undefined) say(call, `Its progress: ${JSON.stringify(progress)}`)
  if (found) say(call, `Your checkpoint (${found.path}):\n\n${found.text}\n`)
  if (sealed !== undefined) say(call, `All that the earlier context held when it ended, as JSON, if you miss something: ${sealed}`)
  say(call, 'Go on where that ended; do nothing of it again.')
  return EXIT.ok
}

async function settings(call: Call): Promise<number> {
  const hook = (command: string, more: object = {}): object[] => [{ ...more, hooks: [{ type: 'command', command }] }]
  const value = {
    hooks: {
      PreCompact: hook('penny hook precompact'),
      PostToolUse: hook('penny hook posttooluse', { matcher: '*' }),
      SessionStart: hook('penny hook sessionstart'),
    },
  }
  say(call, JSON.stringify(value, null, 2))
  return EXIT.ok
}

function wanted({ surroundings }: Call, { workspace }: Seat): string {
  const message = surroundings.env['PENNY_MESSAGE']
  const id = surroundings.env['PENNY_ID']
  const progress = message === undefined ? '' : ` Then set progress: "…" (how far you are) in the front matter of ${message}.`
  return `Write your checkpoint first, ${join(workspace, 'home', CHECKPOINT)}, anew${id === undefined ? '' : `, its first line "message: ${id}"`}: ${HOLDS}.${progress} Then go on.`
}

/** False: a session that cannot count how often it was asked must not be kept for ever. */
function tryToRemember(call: Call, seat: Seat, said: Parameters<typeof remember>[1], asked: Parameters<typeof remember>[2]): boolean {
  try {
    remember(seat, said, asked)
    return true
  } catch (cause) {
    call.surroundings.err(`penny: no checkpoint is asked for: ${String(cause)}\n   fix: df -h ~; ls -ld ~\n`)
    return false
  }
}
