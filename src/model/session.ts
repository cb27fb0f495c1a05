/** Which session of its client a request belongs to: what the meter of a context is kept by. */
import type { Headers } from './headers.ts'
import { readFields, textIn } from './json.ts'
import type { RequestFacts } from './request.ts'

const HEADER = 'x-claude-code-session-id'
/** It becomes a key of tables and a word in reports; it is the client's, so it may be anything. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
/** Claude Code's older form of `metadata.user_id`. */
const IN_USER = /_session_([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$/

export function sessionOf(headers: Headers, facts?: Pick<RequestFacts, 'userId'>): string | undefined {
  const told = headers[HEADER]
  const user = facts?.userId
  return (typeof told === 'string' ? idIn(told.trim()) : undefined) ?? (user === undefined ? undefined : inUser(user))
}

function inUser(user: string): string | undefined {
  // The newer form is an object in a text.
  if (user.startsWith('{')) return idIn(textIn(readFields(user), 'session_id'))
  return IN_USER.exec(user)?.[1]
}

function idIn(text: string | undefined): string | undefined {
  return text !== undefined && ID.test(text) ? text : undefined
}
