/** The ways in: a socket for each caller, and the port of the loopback. What cannot be opened is told, and tried again each second. */
import type { Name } from '../core/names.ts'
import type { Serve, Served, Serving } from '../system/serve.ts'
import type { Log } from '../system/types.ts'
import type { Settings } from './link.ts'

export type Doors = Readonly<{
  /** Resolves when each is open, or told of; those that stay as they are are not touched. */
  set: (settings: Pick<Settings, 'callers' | 'listen'>) => Promise<void>
  /** Once a second: those that could not be opened, and sockets that somebody took away. */
  look: () => Promise<void>
  report: () => readonly Readonly<{ about: string; why: string }>[]
  close: () => Promise<void>
}>

export type DoorsGiven = Readonly<{
  serve: Serve
  log: Log
  told: (about: string, why: string | undefined) => void
  atSocket: (agent: Name) => Serving['answer']
  atPort: Serving['answer']
  /** How many descriptors this process may have. */
  mostFiles: number
}>

type Door = { serving: Serving; served: Served | undefined; why: string | undefined; isPort: boolean }

/** An agent with many sessions has a connection for each request that is held. */
const MOST_OF_AGENT = 512
/** Of those at the port who have not shown a key, and of the process's descriptors. */
const MOST_UNKNOWN = 1_024
const PART_UNKNOWN = 1 / 8
/** A client sends its headers with the connection. Milliseconds. */
const HEADERS_MS = 5_000
/** For files, the daemon, lists of models. */
const OWN_FILES = 64
/** At its socket those with a request and those without one, those at the port, and to the provider one for each of its requests. */
const FILES_OF_ONE = 5
/** A client or two with a few loops. */
const FEW = 16

export function createDoors({ serve, log, told, atSocket, atPort, mostFiles }: DoorsGiven): Doors {
  const doors = new Map<string, Door>()
  const mostUnknown = Math.max(1, Math.floor(Math.min(MOST_UNKNOWN, mostFiles * PART_UNKNOWN)))
  /** Of each agent: all of them together cannot use up the descriptors, let alone one. */
  let mostOfEach = MOST_OF_AGENT
  let isTold = false
  /** One thing at a time: what a door is changes while it opens. */
  let running: Promise<void> = Promise.resolve()
  let isClosed = false

  function wanted({ callers, listen }: Pick<Settings, 'callers' | 'listen'>): Map<string, Omit<Door, 'served' | 'why'>> {
    const { host, port } = listen
    const boundsAtPort = () => ({ mostUnknown, mostOfEach })
    const boundsAtSocket = () => ({ mostUnknown: mostOfEach, mostOfEach })
    const atLoopback = { serving: { address: { host, port }, bounds: boundsAtPort, headersMs: HEADERS_MS, answer: atPort }, isPort: true }
    return new Map([
      [`${host.includes(':') ? `[${host}]` : host}:${port}`, atLoopback],
      ...callers.flatMap(({ agent, socket }): [string, Omit<Door, 'served' | 'why'>][] => {
        if (socket === undefined) return []
        return [[agent, { serving: { address: { path: socket }, bounds: boundsAtSocket, answer: atSocket(agent) }, isPort: false }]]
      }),
    ])
  }

  function failed(about: string, door: Door, why: string | undefined): void {
    if (door.why === why) return
    door.why = why
    if (why === undefined) log('info', 'a way into the gateway is open again', { about })
    else log('error', 'a way into the gateway cannot be opened, and is tried again', { about, why })
    told(about, why)
  }

  const shut = async ({ served }: Door): Promise<void> => served?.close('now')

  async function open(about: string, door: Door): Promise<void> {
    if (door.served?.isThere() || isClosed) return
    await shut(door)
    door.served = undefined
    try {
      door.served = await serve(door.serving)
      failed(about, door, undefined)
    } catch (cause) {
      failed(about, door, cause instanceof Error ? cause.message : String(cause))
    }
  }

  /** Whoever has no way in any more is cut off; at the port, each request is looked at for itself. */
  async function leave(door: Door): Promise<void> {
    if (!door.isPort) return shut(door)
    void door.served?.close('kindly')
  }

  function inTurn(act: () => Promise<unknown>): Promise<void> {
    running = running.then(async () => void (await act()))
    return running
  }

  function shareOut(agents: number): void {
    const share = Math.floor((mostFiles - OWN_FILES - mostUnknown) / (FILES_OF_ONE * Math.max(1, agents)))
    mostOfEach = Math.max(FEW, Math.min(MOST_OF_AGENT, share))
    if (share >= FEW || isTold) return
    isTold = true
    log('warn', 'the gateway may open so few files that all agents together could use them up: LimitNOFILE= of its service, or ulimit -n', {
      mostFiles,
      agents,
    })
  }

  const look = (): Promise<unknown> => Promise.all([...doors].map(([about, door]) => open(about, door)))

  return {
    set: (settings) =>
      inTurn(async () => {
        const next = wanted(settings)
        shareOut(settings.callers.length)
        for (const [about, door] of doors) {
          const same = next.get(about)
          if (same && JSON.stringify(same.serving.address) === JSON.stringify(door.serving.address)) continue
          doors.delete(about)
          await leave(door)
          failed(about, door, undefined)
        }
        for (const [about, door] of next) if (!doors.has(about)) doors.set(about, { ...door, served: undefined, why: undefined })
        await look()
      }),
    look: () => inTurn(look),
    report: () => [...doors].flatMap(([about, { why }]) => (why === undefined ? [] : [{ about, why }])),
    close: () => {
      isClosed = true
      return inTurn(() => Promise.all([...doors.values()].map(shut)))
    },
  }
}
