/** The whole table against one daemon, in batches: planted, judged, ended by SIGTERM with everything still in place, started again. */
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pause } from '../../e2e/files.ts'
import { type Case, type Place, WITHIN_MS } from './case.ts'
import { type Hand, startHand } from './hand.ts'
import { CLOSED_MS, codeOf, type LeftOut, makeJudge, onceMore, ownFolder, type Row, rowsOf, sum } from './judge.ts'
import { slackMs } from './machine.ts'
import { differences, leaksIn, makeOutside, marksOf } from './outside.ts'
import { isRunning, type Target } from './target.ts'

/** Planted and not yet told of. */
const AT_ONCE = 8
/** Of those that are told late, in one batch: they are of several codes. */
const SLOW_A_BATCH = 32
/** Rows that were late among others and are planted once more, each alone: with more of them it is no longer the machine that was busy. */
const MOST_LATE = 10

export type Result = Readonly<{ what: string; faults: readonly string[]; seen: string }>

export async function attackWith(table: Readonly<Record<string, readonly Case[]>>, target: Target): Promise<{ results: Result[]; leftOut: LeftOut[] }> {
  const places: Place[] = target.outbox === undefined ? ['spool'] : ['spool', 'outbox']
  const { rows, leftOut } = rowsOf(table, target.mode, places)
  const wholes: Result[] = []
  const batches = batchesOf(rows)
  for (const [n, batch] of batches.entries()) {
    wholes.push(...(await attackOnce(`${target.mode} · batch ${n + 1} of ${batches.length}`, batch, target, n === batches.length - 1)))
  }
  const late = rows.filter((row) => row.late.length > 0)
  const again = target.start && late.length <= MOST_LATE ? new Map(late.map((row) => [row, onceMore(row)])) : new Map<Row, Row>()
  for (const [{ late: first }, row] of again) {
    await target.start?.()
    wholes.push(...(await attackOnce(`${target.mode} · alone, for at first ${first.join(', ')}`, [row], target, true)))
  }
  wholes.push({ what: `${target.mode} · secrets`, faults: blameLeaks([...rows, ...again.values()], target), seen: 'searched everywhere' })
  return { results: [...rows.map((row) => resultOf(row, again.get(row), target)), ...wholes], leftOut }
}

function batchesOf(rows: readonly Row[]): Row[][] {
  const changing = rows.filter(({ of }) => of.changes !== undefined)
  const slow = rows.filter((row) => isSlow(row))
  const quick = mixed(rows.filter((row) => !changing.includes(row) && !slow.includes(row)))
  const count = Math.max(1, Math.ceil(slow.length / SLOW_A_BATCH))
  const share = (of: readonly Row[], n: number): Row[] => of.filter((_, index) => index % count === n)
  const batches = Array.from({ length: count }, (_, n) => [...share(slow, n), ...share(quick, n)])
  return [...batches, changing].filter((batch) => batch.length > 0)
}

/** Always in the same order, but those that are told of with one code far from each other. */
function mixed(rows: readonly Row[]): Row[] {
  const golden = (n: number): number => (n * 0.618_033_988_75) % 1
  return rows
    .map((row, n) => ({ row, at: golden(n) }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row)
}

const isSlow = ({ of, outcome }: Row): boolean => of.changes === undefined && (outcome.alertMs ?? 0) > WITHIN_MS

const GONE = 'the daemon is gone'

async function attackOnce(what: string, batch: readonly Row[], target: Target, isLast: boolean): Promise<Result[]> {
  prepare(batch, target)
  const watched = [join(target.base, 'outside'), ...target.watch]
  const before = marksOf(watched)
  const pid = target.pid()
  const hands = [startHand(target.base, target.attacker), startHand(target.base, undefined)] as const
  const judge = makeJudge(target, batch)
  try {
    for (const row of batch) {
      const open = (): number => batch.filter((other) => !isSlow(other) && judge.waits(other)).length
      const mayStart = (): boolean =>
        isSlow(row) || (!judge.isCrowded() && open() < AT_ONCE && !batch.some((other) => isBefore(other, row, judge.waits(other))))
      while (!mayStart()) await pause(10)
      if (isRunning(pid)) await plantSafely(row, judge.plant, hands)
      else row.faults.push(`it was not planted: ${GONE}`)
    }
    while (batch.some(judge.waits)) await pause(20)
    for (const row of batch) if (row.plantedAt !== undefined) sum(row, target)
    const lateness = isRunning(pid) ? await judge.goodMail() : undefined
    const alive = isRunning(pid)
    const wholes: Result[] = [
      { what: `${what} · good mail with all of it in place`, faults: lateness === undefined ? [] : [lateness], seen: `${batch.length} rows` },
      { what: `${what} · nothing outside changed`, faults: blameChanges(batch, differences(before, marksOf(watched))), seen: `${before.size} watched` },
      { what: `${what} · the daemon is alive`, faults: alive ? [] : [GONE], seen: `pid ${pid}` },
    ]
    if (alive && (target.start || isLast)) wholes.push(await endIt(`${what} · SIGTERM`, target))
    return wholes
  } finally {
    judge.stop()
    for (const hand of hands) hand.end()
    for (const row of batch) clearAway(row, target)
    if (!isLast && !isRunning(pid)) await target.start?.()
  }
}

/** The same folder was changed by another row, and the daemon may not have seen yet that its alert was closed: one of both would be counted there. */
function isBefore({ of, plantedAt, alertMs }: Row, row: Row, waits: boolean): boolean {
  if (of === row.of || of.changes === undefined || of.changes !== row.of.changes || plantedAt === undefined) return false
  return waits || performance.now() - plantedAt - (alertMs ?? 0) < CLOSED_MS
}

async function plantSafely(row: Row, plant: (row: Row, hand: Hand, root: Hand) => Promise<void>, [hand, root]: readonly [Hand, Hand]): Promise<void> {
  try {
    await plant(row, hand, root)
  } catch (cause) {
    row.plantedAt ??= performance.now()
    row.faults.push(`it could not be planted: ${String(cause)}`)
  }
}

async function endIt(what: string, target: Target): Promise<Result> {
  const { gone, ms, status } = await target.end()
  const faults = [
    ...(gone && ms <= WITHIN_MS + slackMs() ? [] : [`SIGTERM did not end it within ${WITHIN_MS} ms`]),
    ...(status === undefined || status === 0 ? [] : [`it ended with ${status}`]),
  ]
  return { what, faults, seen: `ended after ${Math.round(ms)} ms` }
}

function prepare(batch: readonly Row[], target: Target): void {
  const outside = join(target.base, 'outside')
  mkdirSync(outside, { recursive: true, mode: 0o711 })
  for (const row of batch) {
    row.outside = makeOutside(outside, row.token, target.recipient, target.trusted)
    const own = ownFolder(target, row.token)
    mkdirSync(own, { recursive: true })
    if (target.attacker) chownSync(own, target.attacker.uid, target.attacker.gid)
  }
}

/** What lies in the folder of a row is its doing; the rest is returned. */
function blameChanges(batch: readonly Row[], changes: readonly string[]): readonly string[] {
  return changes.filter((change) => {
    const row = batch.find(({ token }) => change.includes(`/outside/${token}`))
    row?.faults.push(change)
    return row === undefined
  })
}

function blameLeaks(rows: readonly Row[], target: Target): readonly string[] {
  const own = new Set<bigint>()
  const remember = (path: string): void => {
    const stat = lstatSync(path, { bigint: true })
    if (stat.isDirectory()) for (const name of readdirSync(path)) remember(join(path, name))
    else own.add(stat.ino)
  }
  for (const path of [join(target.base, 'outside'), ...target.watch]) if (existsSync(path)) remember(path)
  return [...leaksIn(target.search, own)].flatMap(([token, path]) => {
    const row = rows.find((one) => one.token === token)
    row?.faults.push(`its secret was read: it stands in ${path}`)
    return row ? [] : [`the secret ${token} stands in ${path}`]
  })
}

/** Takes away what is left of a row, as an operator would; what the daemon moved to spool/held/ stays for the last search. */
function clearAway(row: Row, target: Target): void {
  const workspace = target.outbox === undefined ? [] : [dirname(target.outbox)]
  const ofHolder = ['', 'new', 'cur', 'done', 'outbox', 'outbox/files', 'home']
  const folders = [target.spool, join(target.spool, 'files'), ...workspace.flatMap((at) => ofHolder.map((one) => join(at, one)))]
  for (const folder of folders) {
    if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory())
      for (const name of readdirSync(folder, { encoding: 'buffer' }))
        if (name.includes(row.token) && !isMail(name.toString('latin1'))) remove(Buffer.concat([Buffer.from(`${folder}/`), name]))
  }
}

/** What was delivered stays: it would only be put back. */
const isMail = (name: string): boolean => /^[1-9]-[a-z]+\.[0-9a-f-]{36}\./.test(name)

function remove(path: Buffer): void {
  // Deeper than a path can be long: `rm` goes down step by step.
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) spawnSync('rm', ['-rf', '--', path.toString()])
  else rmSync(path, { force: true })
}

function resultOf(row: Row, again: Row | undefined, target: Target): Result {
  const { of, group, place } = row
  const faults = again ? [...row.faults, ...again.faults, ...again.late] : [...row.faults, ...row.late]
  return { what: `${target.mode} · ${place} · ${group}: ${of.what}`, faults, seen: seenOf(again ?? row) }
}

function seenOf({ alertMs, alertFile, deliveredMs, outcome, good }: Row): string {
  const seen = [
    ...(alertMs === undefined ? [] : [`${codeOf(alertFile ?? '')} after ${Math.round(alertMs)} ms`]),
    ...(deliveredMs === undefined ? [] : [`delivered after ${Math.round(deliveredMs)} ms`]),
    ...(good?.ms === undefined ? [] : [`good mail ${Math.round(good.ms)} ms`]),
    ...(outcome.because === undefined ? [] : [outcome.because]),
  ]
  return seen.join(' · ')
}
