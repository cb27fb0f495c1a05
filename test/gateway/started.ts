/** The gateway's process as the daemon starts it, a provider behind it, and clients that come through its doors. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { appendFileSync, chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { Name } from '../../src/core/names.ts'
import type { Ask, CallerSettings, Entry, FromGateway, Settings, ToGateway } from '../../src/gateway/index.ts'
import { type Owner, PENNY } from '../e2e/driver.ts'
import { KEY, type Options, type Provider, startProvider } from '../support/provider/provider.ts'

export const MODEL = 'claude-opus-4-8'
export const bodyOf = (more: object = {}): string => JSON.stringify({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...more })

export type Answered = Readonly<{ status: number; headers: IncomingMessage['headers']; text: string }>
export type Way = Readonly<{ socketPath: string } | { port: number; agent: string; key?: string | undefined }>
export type Call = Readonly<{ method?: string; path?: string; body?: string | Buffer; headers?: Readonly<Record<string, string>>; signal?: AbortSignal }>

type Word = FromGateway['tell']
type Line<T extends Word> = Extract<FromGateway, { tell: T }>
type Until = <T extends Word>(tell: T, is?: (line: Line<T>) => boolean) => Promise<Line<T>>

export type Started = Readonly<{
  pid: number
  folder: string
  port: number
  upstream: Provider
  say: (line: ToGateway | object) => void
  /** What it has told so far. */
  told: FromGateway[]
  until: Until
  ask: (ask: Ask) => Promise<unknown>
  /** Changes what was set before. */
  set: (more?: Partial<Settings>) => void
  settings: () => Settings
  socketOf: (agent: string) => string
  err: () => string
  /** The daemon's end of the pair. */
  daemon: Socket
  kill: (signal: NodeJS.Signals) => void
  ended: Promise<Readonly<{ code: number | null; signal: string | null }>>
}>

export type Plan = Readonly<{
  options?: Options
  as?: Owner
  /** Folders of sockets that are given to an agent's group, as in system mode. */
  groups?: Readonly<Record<string, number>>
  key?: string | undefined
  /** Of a process before it. */
  ledger?: readonly Entry[]
  callers?: readonly (Partial<Omit<CallerSettings, 'agent'>> & { agent: string })[]
}>

export const keyHash = (key: string): string => createHash('sha256').update(key).digest('hex')

export async function started(t: Test, { options, as, groups = {}, ledger = [], callers = [{ agent: 'legal' }], ...plan }: Plan = {}): Promise<Started> {
  const upstream = await startProvider({ latencyMs: 5, ...options })
  t.teardown(upstream.close)
  const folder = mkdtempSync(join(tmpdir(), 'penny-gateway-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const socketOf = (agent: string): string => `${folder}/sockets/${agent}/gateway.sock`
  for (const one of ['gateway', 'sockets', ...callers.map(({ agent }) => `sockets/${agent}`)]) mkdirSync(`${folder}/${one}`, { recursive: true })
  if (as) for (const one of ['', 'gateway', 'sockets', ...callers.map(({ agent }) => `sockets/${agent}`)]) chownSync(`${folder}/${one}`, as.uid, as.gid)
  for (const [agent, gid] of Object.entries(groups)) {
    chownSync(`${folder}/sockets/${agent}`, as?.uid ?? 0, gid)
    chmodSync(`${folder}/sockets/${agent}`, 0o2710)
  }
  for (const agent of callers.map((one) => one.agent).filter((one) => !(one in groups))) chmodSync(`${folder}/sockets/${agent}`, 0o700)
  for (const entry of ledger) {
    mkdirSync(`${folder}/gateway/ledger`, { recursive: true })
    appendFileSync(`${folder}/gateway/ledger/${entry.at.slice(0, 10)}.jsonl`, `${JSON.stringify(entry)}\n`)
  }
  const port = await freePort()
  const child = spawn(process.execPath, ['--disallow-code-generation-from-strings', PENNY, 'gateway', 'run'], {
    cwd: `${folder}/gateway`,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    ...as,
  })
  t.teardown(() => void child.kill('SIGKILL'))
  let err = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = new Promise<Readonly<{ code: number | null; signal: string | null }>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  const daemon = child.stdio[3] as unknown as Socket
  daemon.on('error', () => undefined)
  const told: FromGateway[] = []
  const came = new EventEmitter().setMaxListeners(0)
  createInterface({ input: daemon }).on('line', (line) => {
    told.push(JSON.parse(line) as FromGateway)
    came.emit('line')
  })
  const say = (line: object): void => void daemon.write(`${JSON.stringify(line)}\n`)

  const until: Until = async <T extends Word>(tell: T, is: (line: Line<T>) => boolean = () => true): Promise<Line<T>> => {
    for (;;) {
      const found = told.find((line): line is Line<T> => line.tell === tell && is(line as Line<T>))
      if (found) return found
      await once(came, 'line', { signal: AbortSignal.timeout(20_000) }).catch(() => {
        throw new Error(`never told: ${tell}; ${err}`)
      })
    }
  }

  const plain = { name: 'main', baseUrl: upstream.url, keyFile: '/none', pools: [], fallback: [], models: [], urgentCap: 0.5, weights: [] }
  let settings: Settings = {
    providers: [plain],
    callers: callers.map((one) => ({
      socket: socketOf(one.agent),
      uid: undefined,
      holdMs: 10_000,
      keys: [],
      contextWindow: undefined,
      budget: undefined,
      ...one,
      agent: one.agent as Name,
    })),
    listen: { host: '127.0.0.1', port },
    timezone: 'UTC',
    ledgerKeepMs: 86_400_000,
  }
  let last = 0
  const house: Started = {
    pid: child.pid ?? 0,
    folder,
    port,
    upstream,
    say,
    told,
    until,
    ask: async (ask) => {
      const id = ++last
      say({ tell: 'ask', id, ask })
      return (await until('asked', (line) => line.id === id)).answer
    },
    set: (more = {}) => {
      settings = { ...settings, ...more }
      say({ tell: 'settings', settings })
    },
    settings: () => settings,
    socketOf,
    err: () => err,
    daemon,
    kill: (signal) => void child.kill(signal),
    ended,
  }
  house.set()
  say({ tell: 'key', provider: 'main', key: 'key' in plan ? plan.key : KEY })
  await until('ready')
  return house
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => void server.close(resolve))
  return port
}

export function call(way: Way, { method = 'POST', path = '/v1/messages', body = bodyOf(), headers = {}, signal }: Call = {}): Promise<Answered> {
  const at = 'socketPath' in way ? { socketPath: way.socketPath, path } : { host: '127.0.0.1', port: way.port, path: `/agents/${way.agent}${path}` }
  const key = 'key' in way && way.key !== undefined ? { 'x-api-key': way.key } : {}
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept from before may have been closed by a door that was.
    const sent = request(
      {
        ...at,
        agent: false,
        method,
        headers: { 'anthropic-version': '2023-06-01', 'content-type': 'application/json', ...key, ...headers },
        ...(signal ? { signal } : {}),
      },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }))
      },
    )
    sent.on('error', reject)
    sent.end(method === 'POST' ? body : undefined)
  })
}
