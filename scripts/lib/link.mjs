// The gateway's own process (`penny gateway run`) without a daemon: what a daemon tells it stands in src/gateway/link.ts.
// For scenes and benches that need the gateway and no organisation.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const NORMAL = 3
/** Of the contract, over TCP. */
const HOLD_MS = 100_000
const ENDS_MS = 2_000

/** What an agent shows at the loopback's port. @param {string} agent */
export const keyOf = (agent) => `penny-${agent}`

/**
 * Starts it in `dir`, where its ledger comes to lie, with one provider; resolves when its doors are open.
 * @param {{ penny: string, dir: string, upstream: string, key: string, agents: readonly { name: string, weight?: number, rank?: number }[], log?: number }} given
 */
export const startGateway = async ({ penny, dir, upstream, key, agents, log }) => {
  const port = await freePort()
  const child = spawn(process.execPath, [penny, 'gateway', 'run'], { cwd: dir, stdio: ['ignore', log ?? 'ignore', log ?? 'ignore', 'pipe'], detached: true })
  const daemon = /** @type {import('node:net').Socket} */ (child.stdio[3])
  // It may have ended: that is told by its exit.
  daemon.on('error', () => undefined)
  const gone = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`the gateway has ended: ${code ?? signal}`)))
  gone.catch(() => undefined)
  const say = (/** @type {object} */ line) => void daemon.write(`${JSON.stringify(line)}\n`)
  const ready = new Promise((resolve, reject) => {
    createInterface({ input: daemon }).on('line', (text) => {
      const line = JSON.parse(text)
      if (line.tell === 'ready') resolve(undefined)
      if (line.tell === 'door' && line.why) reject(new Error(`${line.about}: ${line.why}`))
    })
  })
  say({ tell: 'settings', settings: settingsOf({ upstream, agents, port }) })
  say({ tell: 'key', provider: 'main', key })
  for (const { name, rank = NORMAL } of agents)
    if (rank !== NORMAL) say({ tell: 'work', work: { agent: name, run: `run-${name}`, message: `message-${name}`, rank } })
  await Promise.race([ready, gone])
  return {
    child,
    urlOf: (/** @type {string} */ agent) => `http://127.0.0.1:${port}/agents/${agent}`,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      const late = setTimeout(() => child.kill('SIGKILL'), ENDS_MS)
      daemon.end()
      await ended
      clearTimeout(late)
    },
  }
}

/** @param {{ upstream: string, agents: readonly { name: string, weight?: number }[], port: number }} given */
const settingsOf = ({ upstream, agents, port }) => ({
  providers: [
    {
      name: 'main',
      baseUrl: upstream,
      keyFile: '/none',
      pools: [],
      fallback: [],
      models: [],
      urgentCap: 0.5,
      weights: agents.map(({ name, weight = 1 }) => [name, weight]),
    },
  ],
  callers: agents.map(({ name }) => ({ agent: name, holdMs: HOLD_MS, keys: [createHash('sha256').update(keyOf(name)).digest('hex')] })),
  listen: { host: '127.0.0.1', port },
  timezone: 'UTC',
  ledgerKeepMs: 86_400_000,
})

/** One of the loopback that nobody has just now. */
export const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
