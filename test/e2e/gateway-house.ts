/** An organisation whose gateway leads to the provider for tests, and a client at its sockets. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type RequestOptions, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { KEY, type Options, type Provider, startProvider } from '../support/provider/provider.ts'
import { type Organisation, organisation, type Shape } from './driver.ts'
import { pause } from './files.ts'
import { freePort } from './ports.ts'

export type Answered = Readonly<{ status: number; body: string }>
export type GatewayHouse = Readonly<{
  org: Organisation
  upstream: Provider
  keyFile: string
  port: number
  /** At the agent's socket; with a key over TCP. */
  ask: (agent: string, key?: string, headers?: Readonly<Record<string, string>>) => Promise<Answered>
  /** As `penny gateway status --json` has it. */
  standing: () => Promise<Record<string, unknown>>
}>

const BODY = JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 1000, messages: [{ role: 'user', content: 'Hello' }] })

/** `key`: what lies in the key file. */
export async function gatewayHouse(
  t: Test,
  { provider, key = KEY, ...shape }: Shape & Readonly<{ provider?: Options; key?: string }> = {},
): Promise<GatewayHouse> {
  const upstream = await startProvider({ latencyMs: 5, ...provider })
  t.teardown(upstream.close)
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'penny-keys-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const keyFile = join(folder, 'main')
  writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
  const org = await organisation(t, {
    ...shape,
    org: `gateway: { listen: "127.0.0.1:${port}" }\n${shape.org ?? ''}`,
    policies: { 'providers/main.yaml': `api: anthropic-messages\nbase_url: ${upstream.url}\nkey_file: ${keyFile}\n`, ...shape.policies },
  })
  const ask: GatewayHouse['ask'] = (agent, own, headers = {}) =>
    own === undefined
      ? post({ socketPath: org.at('.penny/sockets', agent, 'gateway.sock'), path: '/v1/messages' }, 'placeholder', headers)
      : post({ host: '127.0.0.1', port, path: `/agents/${agent}/v1/messages` }, own, headers)
  return { org, upstream, keyFile, port, ask, standing: async () => (await org.json(['gateway', 'status']))[0] ?? {} }
}

function post(where: RequestOptions, key: string, more: Readonly<Record<string, string>>): Promise<Answered> {
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) }
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, method: 'POST', headers: { ...headers, ...more } }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => (body += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(BODY)
  })
}

/** As `until`, for what has to be asked. */
export async function untilAsked<T>(what: string, ask: () => Promise<T | undefined | false>, boundMs = 20_000): Promise<T> {
  for (const start = performance.now(); ; ) {
    const found = await ask()
    if (found !== undefined && found !== false) return found
    if (performance.now() - start > boundMs) throw new Error(`not within ${boundMs} ms: ${what}`)
    await pause(50)
  }
}
