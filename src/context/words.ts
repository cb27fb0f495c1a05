/** What is said about a context that is nearly full: to its holder, and to people. */
import type { Fault } from '../core/fault.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Letter } from '../core/post.ts'
import { shellWord, showSafely } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'

/** A context as it is told of. `key`: its session's, or its message's. */
export type Told = Readonly<{
  agent: Name
  key: string
  /** One that this agent holds. */
  message: MessageId | undefined
  session: string | undefined
  usedTokens: number
  windowTokens: number
}>

/** What a checkpoint holds; also said by the hook. */
export const HOLDS = 'what is done, what is decided and why, constraints, what is next'

export function letterOfOrder(told: Told, mail: Mail | undefined, orderedMs: number): Letter {
  const { agent, key } = told
  const what = mail ? `Your context, in which you work on "${showSafely(mail.subject)}" (${mail.id}),` : `Your context of session ${told.session ?? key}`
  const progress = mail
    ? [
        `1. Say how far you are in the front matter of ../cur/${showSafely(mail.file)}: \`progress: "…"\`.`,
        `2. Write checkpoint.md in your home anew. First line: message: ${mail.id}. Then: ${HOLDS}.`,
      ]
    : [`1. Write checkpoint.md in your home anew: ${HOLDS}.`]
  const then = mail ? ' The next run of this message is given both; nothing else of this context is sure to last.' : ''
  const body = [`${what} is ${fullnessOf(told)}. Before you go on:`, '', ...progress, '', `Then go on; nothing has to be answered.${then}`, ''].join('\n')
  return {
    key: `checkpoint:${agent}:${key}:${orderedMs}`,
    from: 'pennypost',
    to: agent,
    kind: 'note',
    subject: 'Write a checkpoint: your context is nearly full',
    body,
    ...(mail ? { priority: mail.priority, inReplyTo: mail.id } : {}),
  }
}

/** A session is named by its client, and may have the name of another agent's. */
export function aboutOf({ agent, key }: Pick<Told, 'agent' | 'key'>): string {
  return `${agent}/${key}`
}

export function highFault(told: Told, isOrdered: boolean): Fault {
  const next = isOrdered ? 'it was told to write a checkpoint' : 'at 80 % it is told to write a checkpoint'
  return {
    code: 'context-high',
    about: aboutOf(told),
    agent: told.agent,
    sentence: `The context of ${told.agent}${workOf(told)} is ${fullnessOf(told)}; ${next}.`,
    fix: told.message === undefined ? 'penny gateway status' : `penny show ${shellWord(told.message)}`,
  }
}

export function missingFault(told: Told, ordered: string, how: 'late' | 'over'): Fault {
  const what = how === 'late' ? `is ${fullnessOf(told)}` : 'has ended or was compacted'
  return {
    code: 'checkpoint-missing',
    about: aboutOf(told),
    agent: told.agent,
    sentence: `The context of ${told.agent}${workOf(told)} ${what}, and its home/checkpoint.md was not written since it was told to (${ordered}). What it had sent by then may be sealed in .penny/checkpoints/${told.agent}/.`,
    fix: `ls -l ${shellWord(`workspaces/${told.agent}/home/`)} ${shellWord(`.penny/checkpoints/${told.agent}/`)}`,
  }
}

function workOf({ message, session }: Told): string {
  if (message !== undefined) return `, at work on ${message},`
  return session === undefined ? '' : ` (session ${session})`
}

function fullnessOf({ usedTokens, windowTokens }: Told): string {
  const percent = Math.floor((usedTokens * 100) / Math.max(1, windowTokens))
  return `${percent} % full (${usedTokens.toLocaleString('en-US')} of ${windowTokens.toLocaleString('en-US')} tokens)`
}
