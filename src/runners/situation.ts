/** What a run was started for: the daemon's facts from the environment, the sender's words from standard input. */
import { readFileSync } from 'node:fs'
import { parseMessage, readHolder } from '../message/index.ts'
import { EXIT, Failure } from './exit.ts'

/** What a holder added counts; a message of the daemon's is far smaller. */
const LIMITS = { frontMatterBytes: 1024 ** 2 }

export type Situation = Readonly<{
  id: string
  agent: string
  /** A note wants no answer. */
  isTask: boolean
  /** Where its file lies while nobody has moved it. */
  path: string
  home: string
  /** Since it was first started for this message: 1. */
  attempt: number
  facts: readonly string[]
  /** The sender's. */
  subject: string | undefined
  body: string
  /** What the agent itself has noted there. */
  progress: string | undefined
  /** Where the daemon keeps what an earlier run noted of this message. */
  checkpoint: string | undefined
}>

type Environment = Readonly<Record<string, string | undefined>>

/** Names of the facts, by their variable; paths last. */
const FACTS = [
  ['PENNY_ID', 'id'],
  ['PENNY_KIND', 'kind'],
  ['PENNY_FROM', 'from'],
  ['PENNY_VIA', 'via'],
  ['PENNY_ORIGIN', 'origin'],
  ['PENNY_PRIORITY', 'priority'],
  ['PENNY_DUE', 'due'],
  ['PENNY_THREAD', 'thread'],
  ['PENNY_MESSAGE', 'its file'],
  ['PENNY_IN_REPLY_TO', 'your message that it answers'],
  ['PENNY_REPLIES', 'replies that came meanwhile'],
  ['PENNY_ATTACHMENTS', 'attachments'],
  ['PENNY_SEALED', 'all that an earlier context held when it ended, if you miss something'],
] as const

export function readSituation(environment: Environment, bytes: Uint8Array): Situation {
  const { PENNY_ID: id, PENNY_AGENT: agent, PENNY_MESSAGE: path, HOME: home } = environment
  if (!id || !agent || !path || !home)
    throw new Failure(EXIT.usage, 'it is started by the daemon, for a message: PENNY_ID, PENNY_AGENT, PENNY_MESSAGE and HOME say for which', 'penny help up')
  const parsed = parseMessage(bytes, LIMITS)
  const message = parsed.ok ? parsed.message : undefined
  const subject = message?.written['subject']
  return {
    id,
    agent,
    isTask: environment['PENNY_KIND'] !== 'note',
    path,
    home,
    attempt: Number(environment['PENNY_ATTEMPT'] ?? 1),
    facts: FACTS.flatMap(([variable, name]) => {
      const value = environment[variable]
      return value === undefined || value === '' ? [] : [`- ${name}: ${value.split('\n').join(', ')}`]
    }),
    subject: typeof subject === 'string' ? subject : undefined,
    // What does not parse is handed over as it is.
    body: message ? message.text.slice(message.bodyAt) : Buffer.from(bytes).toString('utf8'),
    progress: message && readHolder(message).progress,
    checkpoint: environment['PENNY_CHECKPOINT'],
  }
}

/** The same from the message's file as it is now; undefined: it is there no more. */
export function readAgain(environment: Environment): Situation | undefined {
  try {
    return readSituation(environment, readFileSync(environment['PENNY_MESSAGE'] ?? ''))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

export async function readInput(): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}
