/** Errors as the API words them. Sources: "Errors" and "Rate limits" of platform.claude.com/docs, and what its clients report. */
import type { Spent } from './options.ts'

export type Refusal = Readonly<{ status: number; type: string; message: string; details?: object; retryAfterS?: number }>

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}
const MESSAGES: Readonly<Record<number, string>> = {
  402: 'Your account has a billing problem. Please check your payment details.',
  403: 'Your API key does not have permission to use the specified resource.',
  413: 'Request exceeds the maximum size',
  500: 'Internal server error',
  504: 'Request timed out',
  529: 'Overloaded',
}
const SALES = 'You may also contact sales at https://claude.com/contact-sales to discuss your options for a rate limit increase.'

export function refuse(
  status: number,
  message = MESSAGES[status] ?? 'Error',
  more: Readonly<{ type?: string; details?: object; retryAfterS?: number }> = {},
): Refusal {
  return { type: TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'), ...more, status, message }
}

export function errorBody({ type, message, details }: Pick<Refusal, 'type' | 'message' | 'details'>, requestId: string): object {
  return { type: 'error', error: { type, message, ...(details ? { details } : {}) }, request_id: requestId }
}

/** `what`: "requests", "input tokens" or "output tokens". */
export function overLimit(limit: number, what: string, organisation: string, model: string, waitMs: number): Refusal {
  const message =
    `This request would exceed your organization's rate limit of ${limit.toLocaleString('en-US')} ${what} per minute (org: ${organisation}, model: ${model}). ` +
    'For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage. ' +
    `Please reduce the prompt length or the maximum tokens requested, or try again later. ${SALES}`
  return refuse(429, message, { retryAfterS: toSeconds(waitMs) })
}

export function tooManyAtOnce(retryAfterS?: number): Refusal {
  const message =
    'Number of concurrent connections has exceeded your rate limit. Please try again later or contact sales at https://claude.com/contact-sales to discuss your options for a rate limit increase.'
  return refuse(429, message, retryAfterS === undefined ? {} : { retryAfterS })
}

export function tooSteep(retryAfterS?: number): Refusal {
  return refuse(429, "This request would exceed your account's rate limit. Please try again later.", retryAfterS === undefined ? {} : { retryAfterS })
}

/** Whole, and never too early; what never fits waits for a full bucket. */
export function toSeconds(waitMs: number): number {
  return Math.max(1, Math.ceil((Number.isFinite(waitMs) ? waitMs : 60_000) / 1000))
}

export function outOfMoney(spent: Spent, nowMs: number): Refusal {
  const now = new Date(nowMs)
  const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString().slice(0, 10)
  const regain = `You will regain access on ${next} at 00:00 UTC.`
  switch (spent) {
    case 'tier':
      return refuse(
        429,
        `You have reached your API usage limits: your organization has crossed its monthly API usage threshold, set based on your organization's API tier. ${regain}`,
        { details: { error_code: 'enforced_spend_limit_reached' } },
      )
    case 'own':
      return refuse(400, `You have reached your specified API usage limits. ${regain}`)
    case 'workspace':
      return refuse(400, `You have reached your specified workspace API usage limits. ${regain}`)
  }
}
