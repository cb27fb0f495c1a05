/** Errors of the gateway's own, in the form of the API ("Errors" of its documentation), so that clients treat them as the provider's. */
import type { ServerResponse } from '../system/http.ts'

const TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  502: 'api_error',
} as const

export function refuse(res: ServerResponse, status: keyof typeof TYPES, message: string, retryAfterS?: number): void {
  const body = Buffer.from(JSON.stringify({ type: 'error', error: { type: TYPES[status], message } }))
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    // What was not read of the request is not worth waiting for.
    ...(status === 413 ? { connection: 'close' } : {}),
  })
  res.end(body)
}
