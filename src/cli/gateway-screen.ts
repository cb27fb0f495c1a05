/** How the gateway stands, on a screen. */
import type { GatewayState } from '../core/control.ts'
import { HIGH } from '../core/marks.ts'
import { counted, showSafely } from '../core/text.ts'
import { formatAge } from '../core/units.ts'
import type { AgentStanding, GatewayStanding, PoolStanding } from '../gateway/index.ts'
import type { MeterReport } from '../share/index.ts'
import type { Call } from './command.ts'
import { paint, paintFix, say, sayTable } from './print.ts'
import { ageSince } from './times.ts'

const BAR = 20
const METERS = [
  ['requests', 'requests'],
  ['input', 'tokens in'],
  ['output', 'tokens out'],
] as const

export function showStanding(call: Call, gateway: GatewayState, standing: GatewayStanding | undefined, why: string | undefined): void {
  const { state, pid, since, without_key, over_budget } = gateway
  const isWell = state === 'ready' && standing !== undefined
  const how = isWell ? paint(call, 'green', 'ready') : paint(call, 'yellow', why ?? gateway.why ?? state)
  say(
    call,
    `${paint(call, 'bold', 'gateway')} ${how}${pid === undefined ? '' : `, pid ${pid}`}${since === undefined ? '' : `, for ${ageSince(since, Date.now())}`}`,
  )
  for (const one of without_key) say(call, `  ! ${one.provider} has no key: ${showSafely(one.why)}   ${paintFix(call, 'penny alerts')}`)
  if (over_budget.length > 0) say(call, `  ! over budget, new runs wait: ${over_budget.join(' ')}   ${paintFix(call, 'penny usage')}`)
  if (!standing) return
  for (const { about, why: closed } of standing.doors)
    say(call, `  ! ${showSafely(about)} cannot be opened: ${showSafely(closed)}   ${paintFix(call, 'penny alerts')}`)
  const { waiting, lost, why: refused } = standing.ledger
  if (refused !== undefined)
    say(call, `  ! the ledger cannot be written (${showSafely(refused)}): ${counted(waiting, 'line waits', 'lines wait')}, ${lost} lost`)
  for (const one of standing.providers) showProvider(call, one, standing.pools)
  if (standing.agents.length > 0) showAgents(call, standing.agents)
}

function showProvider(call: Call, { provider, fallback, key, verdict }: GatewayStanding['providers'][number], pools: readonly PoolStanding[]): void {
  const keyWords = key === 'there' ? 'key there' : paint(call, 'red', key === 'missing' ? 'no key' : 'key refused')
  const said = verdict === undefined ? 'not asked yet' : `said last: ${verdict}`
  say(call, `\n${paint(call, 'bold', provider)} ${keyWords}, ${said}${fallback.length === 0 ? '' : `, stood in for by ${fallback.join(', ')}`}`)
  for (const pool of pools) if (pool.provider === provider) showPool(call, pool)
}

function showPool(call: Call, { pool, room, report }: PoolStanding): void {
  const { inFlight, window, waiting, oldestMs, queue, frozenMs, breaker, perMinute, keptPlaces } = report
  say(
    call,
    `  ${showSafely(pool)}: ${room === null ? 'room without a known bound' : `room for ${Math.max(0, Math.floor(room))}`}, ${inFlight} under way${window.isLearned ? ` of ${Math.floor(window.size)}` : ''}`,
  )
  for (const [meter, title] of METERS) showMeter(call, title, report.meters[meter])
  if (perMinute !== undefined) say(call, `    learned from refusals: ${number(perMinute)} requests a minute`)
  if (frozenMs > 0) say(call, paint(call, 'yellow', `    told to wait: ${formatAge(frozenMs)} more`))
  if (breaker.state !== 'closed')
    say(call, paint(call, 'yellow', `    breaker ${breaker.state} after ${counted(breaker.failures, 'failure')}, tries again in ${formatAge(breaker.inMs)}`))
  if (waiting > 0) say(call, `    ${counted(waiting, 'request waits', 'requests wait')}, the oldest for ${formatAge(oldestMs)}`)
  for (const { rank, agent, waiting: count } of queue) say(call, `      priority ${rank}  ${agent} ${count}`)
  if (keptPlaces > 0) say(call, `    ${counted(keptPlaces, 'place is', 'places are')} kept for who asks again`)
}

function showMeter(call: Call, title: string, { set, learned, level }: MeterReport): void {
  const limit = Math.min(set ?? Number.POSITIVE_INFINITY, learned ?? Number.POSITIVE_INFINITY)
  if (!Number.isFinite(limit)) return
  const left = Math.max(0, level ?? limit)
  const from = [set === undefined ? [] : [`set ${number(set)}`], learned === undefined ? [] : [`learned ${number(learned)}`]].flat().join(', ')
  say(call, `    ${title.padEnd(10)} ${bar(left / limit)} ${number(left)} left of ${number(limit)} a minute (${from})`)
}

function showAgents(call: Call, agents: readonly AgentStanding[]): void {
  say(call, '')
  const rows = agents.map(({ agent, requests, tokens, usd, share, gauge, budget }) => [
    agent,
    number(requests),
    number(tokens),
    dollars(usd),
    `${Math.round(share * 100)} %`,
    budget === undefined ? '' : budget.over === undefined ? 'within' : 'over',
    gauge === undefined ? '' : contextBar(gauge.usedTokens, gauge.windowTokens),
  ])
  sayTable(call, ['AGENT', 'REQUESTS', 'TOKENS', 'USD', 'SHARE', 'BUDGET', 'CONTEXT'], rows, (_row, index) => {
    const gauge = agents[index]?.gauge
    return gauge && gauge.usedTokens * 100 >= HIGH * gauge.windowTokens ? 'yellow' : undefined
  })
}

function contextBar(used: number, window: number): string {
  return `${bar(used / window)} ${Math.round((used / window) * 100)} % of ${number(window)}`
}

function bar(part: number): string {
  const full = Math.min(BAR, Math.max(0, Math.round(part * BAR)))
  return `[${'#'.repeat(full)}${'.'.repeat(BAR - full)}]`
}

/** What was spent is never shown as nothing. */
export function dollars(usd: number): string {
  return usd > 0 && usd < 0.01 ? '<0.01' : usd.toFixed(2)
}

export function number(value: number): string {
  return Math.round(value).toLocaleString('en')
}
