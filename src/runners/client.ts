/** The official client at the gateway that the run's environment names; and what its errors mean for a run. */
import { request } from 'node:http'
import { Readable } from 'node:stream'
import Anthropic from '@anthropic-ai/sdk'
import { EXIT, Failure } from './exit.ts'

/** Of each request, by the client itself: the gateway's refusals say how long to wait. */
const RETRIES = 4
/** Of a stream that broke: after so many milliseconds. */
const PAUSES_MS = [1_000, 4_000]
/** The gateway is the identity; what stands there is read by nobody. */
const PLACEHOLDER = 'pennypost'
const ANY_HOST = 'http://localhost'

type Environment = Readonly<Record<string, string | undefined>>
export type Ask = Anthropic.MessageStreamParams

export function clientFor(environment: Environment): Anthropic {
  const { ANTHROPIC_BASE_URL: baseURL, PENNY_GATEWAY: socket, ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_API_KEY: key } = environment
  const common = { maxRetries: RETRIES, apiKey: null, authToken: token || key || PLACEHOLDER }
  if (baseURL) return new Anthropic({ ...common, baseURL })
  if (socket) return new Anthropic({ ...common, baseURL: ANY_HOST, fetch: fetchOver(socket) })
  throw new Failure(
    EXIT.badConfiguration,
    'there is no model gateway for this run (neither ANTHROPIC_BASE_URL nor PENNY_GATEWAY is set): a provider in policies/providers/ and network: gateway in its file are needed',
    'penny gateway status',
  )
}

/** One answer, whole. `undefined`: what was asked does not fit into the model's window. */
export async function ask(client: Anthropic, body: Ask): Promise<Anthropic.Message | undefined> {
  for (let tries = 0; ; tries++) {
    try {
      return await client.messages.stream(body).finalMessage()
    } catch (cause) {
      const fault = faultOf(cause)
      if (fault === 'too long') return undefined
      const pauseMs = PAUSES_MS[tries]
      if (fault.status !== EXIT.tryAgain || !isBroken(cause) || pauseMs === undefined) throw fault
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}

/** Errors within a stream have no status; the client tries again only what comes before it. */
function isBroken(cause: unknown): boolean {
  return !(cause instanceof Anthropic.APIError) || cause.status === undefined
}

function faultOf(cause: unknown): Failure | 'too long' {
  if (!(cause instanceof Error)) throw cause
  const status = cause instanceof Anthropic.APIError ? (cause.status as number | undefined) : undefined
  const words = cause.message.replaceAll(/\s+/g, ' ').slice(0, 500)
  if (status === 413 || (status === 400 && /prompt is too long|context (window|limit)/i.test(words))) return 'too long'
  // Keys and money are the operator's to mend, who is told by the gateway; the work keeps.
  if (status === undefined || [401, 402, 403, 408, 409, 429].includes(status) || status >= 500)
    return new Failure(EXIT.tryAgain, `the model could not be asked (${words}); it is tried again later`)
  return new Failure(EXIT.failed, `the model's provider refused the request: ${words}`)
}

/** fetch() over a Unix socket, which Node's own cannot do. */
function fetchOver(socketPath: string): typeof fetch {
  return async (input, init) => {
    const asked = new Request(input, init)
    const { pathname, search } = new URL(asked.url)
    const body = Buffer.from(await asked.arrayBuffer())
    return new Promise((resolve, reject) => {
      const sent = request(
        { socketPath, method: asked.method, path: pathname + search, headers: Object.fromEntries(asked.headers), signal: asked.signal },
        (answer) => {
          const headers = Object.entries(answer.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]))
          const status = answer.statusCode ?? 502
          const stream = [204, 304].includes(status) || asked.method === 'HEAD' ? null : (Readable.toWeb(answer) as ReadableStream)
          resolve(new Response(stream, { status, headers }))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
