/** Agents race with the daemon at full speed while good mail flows; what must hold is judged meanwhile and at the end. */
import { readdirSync, renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { attack, peakMemory } from '../attacks/hostile.ts'
import { watchStalls } from '../attacks/stalls.ts'
import { slackMs, watchMachine } from '../attacks/suite/machine.ts'
import { AM_ROOT, accounting, isTrue, ORDINARY, type Organisation, organisation } from '../e2e/driver.ts'
import { lettersOf, message } from '../e2e/files.ts'
import { makeOutside, type Outside } from './outside.ts'
import { RACER } from './racer.ts'

export type Race = Readonly<{ mode: 'system' | 'user'; seconds: number; seed: number }>

/** Contract, page 5: a good message within 2 s, the daemon's end within 2 s, 300 MB; one more second where others use the machine. */
const WITHIN_MS = 2_000
const END_WITHIN_MS = 3_000
const MOST_MEMORY = 300 * 1024 * 1024
const LOOK_EACH_MS = 20_000
const BETWEEN_MS = 40
const LOST_AFTER_MS = 20_000
const ATTACKERS = ['eve', 'mallory'] as const

export async function race(t: Test, { mode, seconds, seed }: Race): Promise<void> {
  const watched = watchStalls(t)
  t.teardown(watchMachine())
  const asUser = mode === 'user' && AM_ROOT ? { as: ORDINARY } : {}
  const org = await organisation(t, { ...asUser, agents: { legal: '', pmo: '', eve: '', mallory: '' }, node: watched.node })
  const outside = makeOutside(org.base, org.at('policies'), asUser.as)
  await org.up()
  const pid = org.pid()
  const begun = Date.now()
  const racers = ATTACKERS.map((agent, nth) =>
    attack(
      t,
      org,
      `racer-${agent}`,
      RACER,
      [org.at('workspaces', agent), org.at('spool'), outside.secretFile, outside.folder, String(seed + nth), String(seconds)],
      agent,
    ),
  )
  const tookMs: number[] = []
  const startMs = performance.now()
  let lookAtMs = startMs + LOOK_EACH_MS
  while (!racers.every(({ isOver }) => isOver())) {
    tookMs.push(await goodLetter(org, tookMs.length))
    if (!org.running()) break
    await sleep(BETWEEN_MS)
    if (performance.now() < lookAtMs) continue
    lookAtMs = performance.now() + LOOK_EACH_MS
    judgeOutside(t, org, outside)
    t.comment(
      `${mode} mode, ${Math.round((lookAtMs - LOOK_EACH_MS - startMs) / 1000)} s: ${tookMs.length} good letters, the slowest took ${Math.round(Math.max(...tookMs))} ms`,
    )
  }
  t.ok(org.running() && org.pid() === pid, 'the daemon lived all the time')
  if (!org.running()) return
  const peak = peakMemory(org)
  for (let nth = 0; nth < 5; nth++) tookMs.push(await goodLetter(org, tookMs.length))
  await judgeAccounting(t, org)
  const { status, ms } = await org.end('SIGTERM')
  t.equal(status, 0, 'it ended in order')
  t.ok(ms <= END_WITHIN_MS, `it ended after ${Math.round(ms)} ms`)
  judgeOutside(t, org, outside)
  judgeGoodMail(t, org, tookMs)
  t.ok(peak <= MOST_MEMORY, `it had ${Math.round(peak / 1024 / 1024)} MiB`)
  const [longest] = watched.stalls(begun)
  t.comment(`${mode} mode: the longest stall ${longest ? `${longest.stoodMs} ms, ${longest.ranMs} of them computing` : 'was short'}`)
}

/** A letter of one who is not hostile; its milliseconds. Its reader puts it away, so that looking stays cheap. */
async function goodLetter(org: Organisation, nth: number): Promise<number> {
  const slug = `good-${nth}`
  const { at } = org.drop(`workspaces/legal/outbox/${slug}.md`, message({ to: 'pmo', subject: slug, kind: 'note' }))
  const folder = org.at('workspaces/pmo/new')
  for (;;) {
    const found = readdirSync(folder).find((name) => name.endsWith(`.${slug}.md`))
    const tookMs = performance.now() - at
    if (found !== undefined) renameSync(`${folder}/${found}`, org.at('workspaces/pmo/done', found))
    if (found !== undefined || tookMs > LOST_AFTER_MS || !org.running()) return tookMs
    await sleep(5)
  }
}

function judgeOutside(t: Test, org: Organisation, outside: Outside): void {
  t.same(outside.changed(), [], 'nothing outside changed')
  t.same([...outside.leakedTo(org.at('workspaces')), ...outside.leakedTo(org.at('spool')), ...outside.leakedTo(org.at('.penny'))], [], 'no secret was read')
}

/** Counted from the journal, and the change of a status may be under way. */
async function judgeAccounting(t: Test, org: Organisation): Promise<void> {
  let line = await accounting(org)
  for (let left = 20; left > 0 && !isTrue(line); left--) {
    await sleep(500)
    line = await accounting(org)
  }
  t.ok(isTrue(line), `the accounting line: ${JSON.stringify(line)}`)
  t.comment(`drops ${line.drops}, admitted ${line.admitted}, held ${line.held}`)
}

function judgeGoodMail(t: Test, org: Organisation, tookMs: readonly number[]): void {
  const letters = lettersOf(org.root, 'pmo')
  const subjects = letters.map(({ head }) => head.get('subject') ?? '').filter((subject) => /^good-\d+$/.test(subject))
  t.same(
    tookMs.flatMap((_, nth) => (subjects.filter((one) => one === `good-${nth}`).length === 1 ? [] : [`good-${nth}`])),
    [],
    'each good letter came once',
  )
  const sorted = [...tookMs].sort((a, b) => a - b)
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  t.ok(at(0.99) <= WITHIN_MS + slackMs(), `good letters took ${at(0.5)} ms, 99 of 100 at most ${at(0.99)} ms, all at most ${at(1)} ms`)
  t.comment(`${sorted.length} good letters: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, the slowest ${at(1)} ms`)
}
