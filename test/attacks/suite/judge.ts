/** Plants rows of the table and judges each by the same few rules, whatever was planted. */
import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { message, pause, until } from '../../e2e/files.ts'
import { type Case, type Mode, type Outcome, type Outside, type Place, type Plan, WITHIN_MS } from './case.ts'
import type { Hand } from './hand.ts'
import { slackMs, watchMachine } from './machine.ts'
import type { Target } from './target.ts'

const GOOD = 'good mail of another was'
const GOOD_IS_LATE = `${GOOD} not within ${WITHIN_MS} ms`

/** Above twenty open alerts of one code for one agent the next is only counted: with those at once (attack.ts), which may raise two each, it stays below. */
const MOST_OF_ONE_CODE = 5
/** Until the daemon has seen that an alert was moved to done/, which it looks for every second. */
export const CLOSED_MS = 2_200

export const codeOf = (file: string): string => file.slice(0, file.indexOf('.'))

export type Row = {
  readonly of: Case
  readonly group: string
  readonly place: Place
  readonly token: string
  readonly outcome: Outcome
  readonly faults: string[]
  /** Not what happened is wrong, but when. */
  readonly late: string[]
  names: readonly string[]
  outside: Outside | undefined
  startedAt: number | undefined
  plantedAt: number | undefined
  alertMs: number | undefined
  alertFile: string | undefined
  deliveredMs: number | undefined
  good: Good | undefined
}

export type LeftOut = Readonly<{ what: string; place: Place; why: string }>

/** Every row for each of its places. */
export function rowsOf(table: Readonly<Record<string, readonly Case[]>>, mode: Mode, places: readonly Place[]): { rows: Row[]; leftOut: LeftOut[] } {
  const rows: Row[] = []
  const leftOut: LeftOut[] = []
  let number = 0
  for (const [group, cases] of Object.entries(table))
    for (const of of cases) {
      number++
      for (const place of of.places ?? (['spool', 'outbox'] as const)) {
        const why = whyNot(of, mode) ?? (places.includes(place) ? undefined : `there is no ${place}`)
        const token = `zq${number.toString(36).padStart(3, '0')}${place[0]}`
        const outcome = typeof of.outcome === 'function' ? of.outcome({ mode, place }) : of.outcome
        if (why !== undefined) leftOut.push({ what: of.what, place, why })
        else rows.push(newRow({ of, group, place, token, outcome }))
      }
    }
  return { rows, leftOut }
}

const newRow = (row: Pick<Row, 'of' | 'group' | 'place' | 'token' | 'outcome'>): Row => ({
  ...row,
  faults: [],
  late: [],
  names: [row.token],
  outside: undefined,
  startedAt: undefined,
  plantedAt: undefined,
  alertMs: undefined,
  alertFile: undefined,
  deliveredMs: undefined,
  good: undefined,
})

/** The same once more, under another name. */
export const onceMore = ({ of, group, place, token, outcome }: Row): Row => newRow({ of, group, place, token: token.replace(/^zq/, 'zr'), outcome })

const whyNot = ({ leftOut, byRoot }: Case, mode: Mode): string | undefined =>
  leftOut?.[mode] ?? (byRoot && process.getuid?.() !== 0 ? 'only root can plant it' : undefined)

type Good = { readonly word: string; readonly at: number; ms: number | undefined }

export type Judge = Readonly<{
  plant: (row: Row, hand: Hand, root: Hand) => Promise<void>
  /** So many alerts of one code in the last while that the next might only be counted. */
  isCrowded: () => boolean
  /** Something that must be seen of it was not, and its time is not over. */
  waits: (row: Row) => boolean
  /** A sentence, if one more good message does not come through: whatever stands still now stood still for all. */
  goodMail: () => Promise<string | undefined>
  stop: () => void
}>

let goodOnes = 0

export function makeJudge(target: Target, planted: readonly Row[]): Judge {
  const seenAlerts = new Map<string, Readonly<{ file: string; text: string; at: number }>>()
  const seenMail = new Set<string>()
  const awaited = new Set<Good>()
  const recent: { code: string; at: number }[] = []
  const since = (row: Row, at = performance.now()): number => Math.max(0, at - (row.plantedAt ?? at))

  /** Whether this alert, seen since it was begun to plant it, is the first that names it. */
  function isNamed(row: Row, { file, text, at }: Readonly<{ file: string; text: string; at: number }>): boolean {
    if (row.alertMs !== undefined || row.startedAt === undefined || at < row.startedAt || !row.names.some((name) => text.includes(name))) return false
    Object.assign(row, { alertMs: since(row, at), alertFile: file })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
    const raw = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.exec(text)
    if (raw) row.faults.push(`its alert shows a raw ${JSON.stringify(raw[0])}`)
    return true
  }

  function lookAtAlerts(folder: string): void {
    for (const file of namesIn(folder)) {
      const found = textOf(join(folder, file))
      if (!found || seenAlerts.has(`${file} ${found.mark}`)) continue
      const alert = { file, text: found.text, at: performance.now() }
      seenAlerts.set(`${file} ${found.mark}`, alert)
      recent.push({ code: codeOf(file), at: alert.at })
      // An operator closes it: above twenty of one code and one agent, the next would only be counted.
      if (planted.filter((row) => isNamed(row, alert)).length > 0) moveAway(join(folder, file), join(folder, 'done', file))
    }
  }

  function lookAtMail(): void {
    for (const file of namesIn(target.inbox)) {
      if (seenMail.has(file)) continue
      seenMail.add(file)
      const text = file + (textOf(join(target.inbox, file))?.text ?? '')
      for (const row of planted) {
        if (row.deliveredMs === undefined && text.includes(row.token)) row.deliveredMs = since(row)
      }
      for (const good of awaited) {
        if (!text.includes(good.word)) continue
        good.ms = performance.now() - good.at
        awaited.delete(good)
      }
    }
  }

  const look = (): void => {
    if (target.alerts !== undefined) lookAtAlerts(target.alerts)
    lookAtMail()
  }
  const looking = setInterval(look, 20)
  const unwatch = watchMachine()

  function sendGood(): Good {
    const word = `good-${process.pid}-${++goodOnes}-end`
    target.drop(`${word}.md`, message({ to: target.recipient, subject: word, kind: 'note' }))
    const good: Good = { word, at: performance.now(), ms: undefined }
    awaited.add(good)
    return good
  }

  async function plant(row: Row, hand: Hand, root: Hand): Promise<void> {
    const plan = planFor(target, row, hand, root)
    row.startedAt = performance.now()
    const planting = row.of.plant(plan)
    if (row.of.race) {
      await pause(50)
      row.good = sendGood()
    }
    const names = await planting
    row.plantedAt = performance.now()
    if (Array.isArray(names)) {
      row.names = [row.token, ...(names as string[])]
      for (const alert of seenAlerts.values()) isNamed(row, alert)
    }
    row.good ??= sendGood()
  }

  const isDue = (row: Row, bound: number): boolean => since(row) <= bound + slackMs()
  const waits = (row: Row): boolean =>
    (row.good?.ms === undefined && isDue(row, WITHIN_MS)) ||
    (target.alerts !== undefined && row.outcome.alertMs !== undefined && row.alertMs === undefined && isDue(row, row.outcome.alertMs)) ||
    (row.outcome.delivered === 'must' && row.deliveredMs === undefined && isDue(row, WITHIN_MS))

  return {
    plant,
    isCrowded: () => {
      while ((recent[0]?.at ?? Number.POSITIVE_INFINITY) < performance.now() - CLOSED_MS) recent.shift()
      return recent.some(({ code }) => recent.filter((other) => other.code === code).length > MOST_OF_ONE_CODE)
    },
    waits: (row) => row.plantedAt !== undefined && waits(row),
    goodMail: async () => {
      const good = sendGood()
      while (good.ms === undefined && performance.now() - good.at <= WITHIN_MS + slackMs()) await pause(20)
      return good.ms === undefined ? GOOD_IS_LATE : undefined
    },
    stop: () => {
      clearInterval(looking)
      unwatch()
    },
  }
}

/** What can be said once all that was to be waited for is over; secrets, changes and the daemon itself are asked of the whole batch. */
export function sum(row: Row, target: Target): void {
  const late = (what: string, ms: number | undefined, bound: number): void => {
    if (ms === undefined) row.late.push(`${what} not within ${bound} ms`)
    else if (ms > bound + slackMs()) row.late.push(`${what} after ${Math.round(ms)} ms, not within ${bound} ms`)
  }
  late(GOOD, row.good?.ms, WITHIN_MS)
  if (row.outcome.alertMs !== undefined && target.alerts !== undefined) late('an alert that names it was', row.alertMs, row.outcome.alertMs)
  if (row.outcome.delivered === 'must') late('it was delivered', row.deliveredMs, WITHIN_MS)
  if (row.outcome.delivered === 'never' && row.deliveredMs !== undefined) row.faults.push('it was delivered')
}

function planFor(target: Target, row: Row, hand: Hand, root: Hand): Plan {
  const { place, token } = row
  if (!row.outside) throw new Error(`nothing was prepared for ${token}`)
  const drop = (place === 'outbox' ? target.outbox : undefined) ?? target.spool
  const workspace = dirname(target.outbox ?? target.inbox)
  const name = (ending = '.md'): string => join(drop, `${token}${ending}`)
  return {
    mode: target.mode,
    place,
    token,
    drop,
    workspace,
    own: ownFolder(target, token),
    outside: row.outside,
    hand,
    root,
    name,
    message: (lines = '', body = 'Please look.') =>
      `---\nto: ${target.recipient}\nsubject: ${token}\n${lines}${lines === '' || lines.endsWith('\n') ? '' : '\n'}---\n${body}\n`,
    recipient: target.recipient,
    receive: async () => {
      const to = workspace.slice(workspace.lastIndexOf('/') + 1)
      target.drop(`${token}-first.md`, message({ to, subject: token }))
      const folder = join(workspace, 'new')
      const file = await until(`a message for ${to}`, () => namesIn(folder).find((one) => one.includes(token)), 5_000)
      return { path: join(folder, file), file, id: /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(file)?.[0] ?? file }
    },
  }
}

export const ownFolder = (target: Target, token: string): string => join(target.base, 'own', token)

export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function textOf(path: string): { text: string; mark: string } | undefined {
  try {
    const stat = statSync(path)
    return stat.isFile() ? { text: readFileSync(path, 'utf8'), mark: `${stat.ino} ${stat.mtimeMs}` } : undefined
  } catch {
    return undefined
  }
}

function moveAway(path: string, to: string): void {
  try {
    renameSync(path, to)
  } catch (cause) {
    // Without a folder for closed ones it stays.
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
  }
}
