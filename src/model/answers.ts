/** What an answer means for this request and for the next ones. Sources: "Errors" and "Rate limits" of the API's documentation. */
import { type Headers, readRetryAfterMs } from './headers.ts'
import { fieldsOf, readFields, textIn } from './json.ts'

export type Verdict =
  | Readonly<{ kind: 'ok' }>
  /** A limit was met: the pool waits, the request is sent again. Without a time nobody said which limit, or how long. */
  | Readonly<{ kind: 'refused'; retryAfterMs?: number }>
  /** The provider has no room now, for anybody (529). */
  | Readonly<{ kind: 'overloaded'; retryAfterMs?: number }>
  /** Money has run out: passed on at once, told to a person, never sent again by itself. */
  | Readonly<{ kind: 'spend-cap' }>
  /** The key is not valid (any more). */
  | Readonly<{ kind: 'bad-key' }>
  /** The key is valid, and may not (403). Passed on at once, told to a person. */
  | Readonly<{ kind: 'forbidden' }>
  /** The context is fuller than the window. Passed on at once. */
  | Readonly<{ kind: 'too-long'; tokens?: number; maximum?: number }>
  /** The request itself is wrong (400, 404, 413 …): passed on at once. */
  | Readonly<{ kind: 'wrong' }>
  /** The provider failed (500, 502, 504 …). */
  | Readonly<{ kind: 'failed' }>

type Problem = Readonly<{ type: string; message: string; code: string }>

/** Larger bodies than this are no error of the API's. */
const MAX_ERROR = 65_536
/**
 * Clients match on these words too, so they don't change ("You have reached your specified workspace API usage limits …"). Nothing but words
 * stands before them: other messages repeat what the request said, as the name of a model.
 */
const SPENT = /^[a-z ,']{0,80}\b(?:reached your (?:specified )?(?:[a-z]+ )?API usage limits|credit balance is too low)\b/i
const SPENT_CODE = 'enforced_spend_limit_reached'
const TOO_LONG = /\bprompt is too long(?:: (\d{1,12}) tokens > (\d{1,12}) maximum)?/

/** `body`: what is there of it, decoded; only errors are looked at. */
export function judgeAnswer(answer: Readonly<{ status: number; headers: Headers; body?: Uint8Array }>, wallMs: number): Verdict {
  const { status, headers } = answer
  if (status >= 200 && status < 300) return { kind: 'ok' }
  const problem = readProblem(answer.body)
  const retryAfterMs = readRetryAfterMs(headers, wallMs)
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  switch (status) {
    case 401:
      return { kind: 'bad-key' }
    case 402:
      return { kind: 'spend-cap' }
    case 403:
      return { kind: 'forbidden' }
    case 429:
      return isSpent(problem) ? { kind: 'spend-cap' } : { kind: 'refused', ...wait }
    case 529:
      return { kind: 'overloaded', ...wait }
    default:
      if (status >= 500) return problem?.type === 'overloaded_error' ? { kind: 'overloaded', ...wait } : { kind: 'failed' }
      if (status < 400) return { kind: 'failed' }
      return judgeRequest(status === 404 ? undefined : problem)
  }
}

/** The data of an `event: error` after a 200: there is no status, so the type decides. */
export function judgeStreamError(data: string): Verdict {
  const problem = readProblem(Buffer.from(data))
  switch (problem?.type) {
    case 'overloaded_error':
      return { kind: 'overloaded' }
    case 'rate_limit_error':
      return isSpent(problem) ? { kind: 'spend-cap' } : { kind: 'refused' }
    case 'authentication_error':
      return { kind: 'bad-key' }
    case 'billing_error':
      return { kind: 'spend-cap' }
    case 'permission_error':
      return { kind: 'forbidden' }
    case 'not_found_error':
      return { kind: 'wrong' }
    case 'invalid_request_error':
    case 'request_too_large':
      return judgeRequest(problem)
    default:
      return { kind: 'failed' }
  }
}

function judgeRequest(problem: Problem | undefined): Verdict {
  if (isSpent(problem)) return { kind: 'spend-cap' }
  const long = TOO_LONG.exec(problem?.message ?? '')
  if (!long) return { kind: 'wrong' }
  return long[1] === undefined ? { kind: 'too-long' } : { kind: 'too-long', tokens: Number(long[1]), maximum: Number(long[2]) }
}

function isSpent(problem: Problem | undefined): boolean {
  return problem !== undefined && (problem.code === SPENT_CODE || SPENT.test(problem.message))
}

function readProblem(body: Uint8Array | undefined): Problem | undefined {
  if (!body || body.length > MAX_ERROR) return undefined
  const error = fieldsOf(readFields(Buffer.from(body).toString('utf8'))?.['error'])
  if (!error) return undefined
  const code = textIn(fieldsOf(error['details']), 'error_code')
  return { type: textIn(error, 'type') ?? '', message: textIn(error, 'message') ?? '', code: code ?? '' }
}
