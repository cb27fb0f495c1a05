/**
 * `builtin: anthropic`: an agent for whoever has no agent program. Started by the daemon as any runner is, within its jail.
 *
 * Given: the message on standard input, facts and the gateway's address in the environment.
 * Returns: the reply on standard output, everything else on standard error: both are in the run's log.
 * When it fails: the last line says why. 75: the model could not be asked, which costs no attempt.
 *
 *   node anthropic.js [--model M] [--max-tokens N] [--max-turns N] [--context-window N]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { windowOf } from '../model/index.ts'
import { clientFor } from './client.ts'
import { EXIT, end, Failure } from './exit.ts'
import { converse } from './loop.ts'
import { readAgain, readInput, readSituation, type Situation } from './situation.ts'
import { transcriptOf } from './transcript.ts'

const MODEL = 'claude-sonnet-5-5'
const MAX_TOKENS = 16_000
const MAX_TURNS = 200

await end('anthropic', async () => {
  const number = { type: 'string' } as const
  const { values } = parseArgs({ options: { model: { type: 'string' }, 'max-tokens': number, 'max-turns': number, 'context-window': number } })
  const situation = readSituation(process.env, await readInput())
  const { model = MODEL } = values
  const transcript = transcriptOf(situation.home, situation.id)
  const reply = await converse({
    client: clientFor(process.env),
    model,
    maxTokens: numberIn(values['max-tokens'], MAX_TOKENS),
    maxTurns: numberIn(values['max-turns'], MAX_TURNS),
    window: Math.min(windowOf(model), numberIn(values['context-window'], Number.POSITIVE_INFINITY)),
    system: systemFor(situation),
    situation,
    now: () => readAgain(process.env) ?? situation,
    transcript,
    tell: (line) => void process.stderr.write(`${line}\n`),
  })
  // Once it is out: a run that is killed before prints it the next time.
  await new Promise<void>((resolve) => void process.stdout.write(reply, () => resolve()))
  transcript.remove()
})

function numberIn(word: string | undefined, byDefault: number): number {
  if (word === undefined) return byDefault
  if (!/^[1-9]\d{0,9}$/.test(word)) throw new Failure(EXIT.usage, `${word} is no whole number`)
  return Number(word)
}

/** What the daemon keeps in its home: who it is, and how its mailbox works. */
function systemFor({ home, agent }: Situation): string {
  const kept = ['ROLE.md', 'AGENTS.md'].flatMap((name) => {
    try {
      return [readFileSync(join(home, name), 'utf8').trim()]
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw cause
    }
  })
  return [`You are the agent ${agent}. You work with your tools, in ${home}, which is your home folder and yours alone.`, ...kept]
    .filter((part) => part !== '')
    .join('\n\n')
}
