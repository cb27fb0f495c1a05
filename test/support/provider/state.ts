/** What the provider knows while it runs, and how it is told otherwise. */
import { type Random, randomFrom } from '../../fuzz/random.ts'
import { createLimits, type Limits } from './limits.ts'
import { makeId } from './message.ts'
import type { Asked, Behaviour, Control, KeyOptions, Options, Range, Script, Seen, Spent, Weather } from './options.ts'
import { createPromptCache, type PromptCache } from './prompt.ts'

export type Account = { organisation: string; spent?: Spent | undefined }

export type State = Readonly<{
  /** Since the epoch; it never goes back. */
  now: () => number
  /** One for each request, so that what one draws changes nothing for another. */
  randomOf: (n: number) => Random
  weather: () => Weather
  overloadedRate: () => number
  accounts: ReadonlyMap<string, Account>
  limits: Limits
  cache: PromptCache
  windowOf: (model: string) => number
  knows: (model: string) => boolean
  /** What is to happen with this one. */
  behave: (asked: Omit<Asked, 'n'>) => Promise<Behaviour>
  seen: Seen[]
  keepBodies: boolean
  report: Options['report']
}>

export const MODELS = [
  'claude-opus-4-8',
  'claude-sonnet-4-6',
  'claude-haiku-4-5-20251001',
  'claude-opus-5',
  'claude-opus-5-5',
  'claude-sonnet-5-5',
  'claude-haiku-5-5',
]
export const KEY = 'sk-ant-test'

const PLAIN: Weather = { latencyMs: 0, tokensPerSecond: Number.POSITIVE_INFINITY, outputTokens: 40, overloadedRate: 0, bursts: [] }
const WINDOWS: Readonly<Record<string, number>> = { 'claude-haiku-4-5': 200_000, 'claude-sonnet-4-5': 200_000, 'claude-opus-4-5': 200_000 }

export function draw(range: Range, random: Random): number {
  if (typeof range === 'number') return range
  const [least, most] = range
  return least + random.below(most - least + 1)
}

export function createState(options: Options): { state: State; control: Control } {
  const now = (): number => performance.timeOrigin + performance.now()
  const startMs = now()
  const seed = options.seed ?? 1
  const names = randomFrom(seed)
  const accounts = new Map<string, Account>()
  const limits = createLimits(options.pools ?? [], now)
  const waiting: Behaviour[] = []
  const windows = Object.entries({ ...WINDOWS, ...options.windows })
  const named = [...Object.keys(options.windows ?? {}), ...(options.pools ?? []).flatMap(({ models }) => models)]
  let weather: Weather = { ...PLAIN, ...options }
  let script: Script | undefined
  let asked = 0

  const addKey = (key: string, { organisation }: KeyOptions = {}): void => {
    accounts.set(key, { organisation: organisation ?? makeId('org', names) })
  }
  for (const [key, about] of Object.entries(options.keys ?? { [KEY]: {} })) addKey(key, about)

  const state: State = {
    now,
    randomOf: (n) => randomFrom(seed + Math.imul(n + 1, 0x9e3779b9)),
    weather: () => weather,
    overloadedRate: () => {
      const sinceMs = now() - startMs
      const burst = weather.bursts.find(({ fromMs, toMs }) => sinceMs >= fromMs && sinceMs < toMs)
      return burst?.rate ?? weather.overloadedRate
    },
    accounts,
    limits,
    cache: createPromptCache(),
    windowOf: (model) => windows.find(([name]) => model.startsWith(name))?.[1] ?? 1_000_000,
    knows: (model) => model.startsWith('claude-') || named.includes(model),
    behave: async (about) => waiting.shift() ?? (await script?.({ ...about, n: asked++ })) ?? { kind: 'answer' },
    seen: [],
    keepBodies: options.keepBodies ?? false,
    report: options.report,
  }
  const control: Control = {
    set: (more) => {
      weather = { ...weather, ...more }
    },
    limit: (model, more) => limits.set(model, more),
    script: (next) => {
      script = next
    },
    next: (...behaviours) => {
      waiting.push(...behaviours)
    },
    addKey,
    removeKey: (key) => {
      accounts.delete(key)
    },
    spend: (key, spent) => {
      const account = accounts.get(key)
      if (!account) throw new Error('there is no such key')
      account.spent = spent
    },
  }
  return { state, control }
}
