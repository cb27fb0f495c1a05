/** What the provider is told: at its start (`Options`), and while it runs (`Control`). */
import type { IncomingHttpHeaders } from 'node:http'

/** A number, or one between two, drawn anew for each request. */
export type Range = number | readonly [least: number, most: number]

export type Weather = Readonly<{
  /** From the request to the first byte. */
  latencyMs: Range
  /** Of one answer; infinite by default. */
  tokensPerSecond: number
  /** Of an answer that nobody scripted. */
  outputTokens: Range
  /** Which share of requests gets 529. */
  overloadedRate: number
  /** The same for a time, in ms since the start. */
  bursts: readonly Readonly<{ fromMs: number; toMs: number; rate: number }>[]
}>

/** Models that share their limits; each organisation has its own. What is left out is without limit. */
export type PoolOptions = Readonly<{
  /** Names, or beginnings that end in `*`. */
  models: readonly string[]
  rpm?: number
  itpm?: number
  otpm?: number
  /** How much of a minute's limit may come at once; 1 by default. */
  burst?: number
  /** No header tells of these two. */
  concurrency?: number
  hiddenRpm?: number
  /** Whether their refusals say how long to wait. */
  hiddenRetryAfter?: boolean
}>

export type KeyOptions = Readonly<{ organisation?: string }>

export type Options = Partial<Weather> &
  Readonly<{
    seed?: number
    /** 127.0.0.1 and a free port by default. */
    listen?: Readonly<{ port: number }> | Readonly<{ path: string }>
    keys?: Readonly<Record<string, KeyOptions>>
    pools?: readonly PoolOptions[]
    /** In tokens; what is left out has a million. */
    windows?: Readonly<Record<string, number>>
    /** Keep the bytes of each request in `seen`. */
    keepBodies?: boolean
    /** Called as each request ends. */
    report?: (seen: Seen) => void
  }>

export type Block =
  | Readonly<{ type: 'text'; text: string }>
  | Readonly<{ type: 'thinking'; thinking: string }>
  | Readonly<{ type: 'tool_use'; name: string; input: object; id?: string }>

export type Answer = Partial<Pick<Weather, 'latencyMs' | 'tokensPerSecond'>> &
  Readonly<{
    content?: string | readonly Block[]
    stopReason?: string
    /** Instead of what was counted. */
    inputTokens?: number
    outputTokens?: number
    /** As `usage.iterations`: of a compaction at the provider. */
    iterations?: readonly object[]
  }>

export type Behaviour =
  | (Answer & Readonly<{ kind: 'answer' }>)
  | Readonly<{ kind: 'error'; status: number; type?: string; message?: string; details?: object; retryAfterS?: number }>
  /** Silence, until the client goes: before the answer, or after so many events of its stream. */
  | (Answer & Readonly<{ kind: 'hang'; afterEvents?: number }>)
  /** The connection breaks: before the answer, or after so many events (half of the body, where it is no stream). */
  | (Answer & Readonly<{ kind: 'cut'; afterEvents?: number }>)
  /** `event: error` after a 200. */
  | (Answer & Readonly<{ kind: 'stream-error'; afterEvents?: number; type?: string; message?: string }>)

/** What a script is shown. */
export type Asked = Readonly<{
  /** 0, 1, 2 … among the requests that came as far as this. */
  n: number
  key: string
  organisation: string
  headers: IncomingHttpHeaders
  model: string
  stream: boolean
  body: Readonly<Record<string, unknown>>
}>
export type Script = (asked: Asked) => Behaviour | undefined | Promise<Behaviour | undefined>

/** `tier`: the organisation's cap; `own` and `workspace`: caps that somebody has set. */
export type Spent = 'tier' | 'own' | 'workspace'

export type Control = Readonly<{
  set: (weather: Partial<Weather>) => void
  /** Changes limits of the pool that the model belongs to; levels stay within. */
  limit: (model: string, limits: Omit<PoolOptions, 'models'>) => void
  /** Undefined as its answer, or none at all: what nobody scripted. */
  script: (script: Script | undefined) => void
  /** For the requests that come next, in turn, before the script. */
  next: (...behaviours: readonly Behaviour[]) => void
  addKey: (key: string, options?: KeyOptions) => void
  removeKey: (key: string) => void
  spend: (key: string, spent: Spent | undefined) => void
}>

export type Usage = Readonly<{ inputTokens: number; cacheWriteTokens: number; cacheReadTokens: number; outputTokens: number }>

/** One request, as it was seen, for judging. */
export type Seen = {
  readonly n: number
  /** Since the epoch, with fractions. */
  readonly atMs: number
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  key?: string
  organisation?: string
  model?: string
  bytes: number
  sha256?: string
  body?: Buffer
  /** It came while its pool had been told to wait. */
  early?: Readonly<{ toldMsAgo: number; leftMs: number }>
  status?: number
  /** Of an error. */
  type?: string
  retryAfterS?: number
  requestId?: string
  /** What the limits were charged with. */
  usage?: Usage
  firstByteAtMs?: number
  endedAtMs?: number
  end?: 'whole' | 'cut' | 'left'
}
