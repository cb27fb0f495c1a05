/** One request to a model provider. Nothing is retried, decoded or followed: whoever asked decides what an answer means. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { Gone } from './gone.ts'
import { piecesOf } from './pieces.ts'

export type UpstreamCall = Readonly<{
  /** Without a slash at its end. */
  baseUrl: string
  method: string
  /** From its slash on, with the query. */
  path: string
  /** Names and values in turn, as they are sent. */
  headers: readonly string[]
  body: Uint8Array
  /** Nobody waits for it any more: it is broken off. */
  gone: Gone
}>

export type UpstreamAnswer = Readonly<{
  status: number
  /** Names in lower case. */
  headers: IncomingMessage['headers']
  /** Names and values in turn, as they came. */
  rawHeaders: readonly string[]
  /** Leaving it before its end ends the connection. */
  body: AsyncIterable<Buffer>
}>

/** Rejects where no answer began: with `code` as net(7) has it, ABORT_ERR when nobody waits any more. */
export type Upstream = (call: UpstreamCall) => Promise<UpstreamAnswer>

/** An answer that is thought about for long comes with pings; a connection that is silent for so long is none. Milliseconds. */
const SILENT_MS = 600_000
/** A connection at rest may be closed by the other side just as it is used again: the provider's own limit is a minute. Milliseconds. */
const REST_MS = 30_000

export function realUpstream(): Upstream {
  const kept = { keepAlive: true, timeout: REST_MS, scheduling: 'lifo' } as const
  const agents = { plain: new PlainAgent(kept), secure: new SecureAgent(kept) }
  const addresses = new Map<string, Address>()
  const addressOf = (baseUrl: string): Address => {
    const known = addresses.get(baseUrl)
    if (known) return known
    const read = readAddress(baseUrl)
    addresses.set(baseUrl, read)
    return read
  }
  return ({ baseUrl, method, path, headers, body, gone }) =>
    new Promise((resolve, reject) => {
      const { isSecure, host, hostname, port, prefix } = addressOf(baseUrl)
      const options = {
        host: hostname,
        port,
        path: `${prefix}${path}`,
        method,
        headers: ['host', host, ...headers, 'content-length', String(body.length)],
        timeout: SILENT_MS,
        agent: isSecure ? agents.secure : agents.plain,
      }
      const sent = (isSecure ? secureRequest : plainRequest)(options, (answer) => {
        // No status of HTTP: it could not be passed on.
        if ((answer.statusCode ?? 0) < 100) return void sent.destroy(Object.assign(new Error('the provider speaks no HTTP'), { code: 'EPROTO' }))
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, rawHeaders: answer.rawHeaders, body: piecesOf(answer) })
      })
      sent.on('timeout', () => sent.destroy(Object.assign(new Error('the provider is silent'), { code: 'ETIMEDOUT' })))
      sent.on('error', reject)
      sent.end(body)
      const cancel = gone.heard(() => sent.destroy(Object.assign(new Error('nobody waits for the answer any more'), { code: 'ABORT_ERR' })))
      sent.on('close', cancel)
    })
}

/** Of a provider: there are as many as the configuration has had. */
type Address = Readonly<{ isSecure: boolean; host: string; hostname: string; port: number; prefix: string }>

function readAddress(baseUrl: string): Address {
  const { protocol, host, hostname, port, pathname } = new URL(baseUrl)
  const isSecure = protocol === 'https:'
  return {
    isSecure,
    host,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 443 : 80) : Number(port),
    prefix: pathname === '/' ? '' : pathname,
  }
}
