/**
 * npm run bench:gateway [-- PART… --quick --write --seed N]: thirty naive clients with the official SDK straight at the provider for tests,
 * then the same through the gateway; every row of contract page 6's table that the gateway alone can show. Prints a table, with --write
 * (and not --quick) also into bench/results-gateway.md, of some parts alone into bench/results-gateway-PART.md; asserts nothing.
 * Exit: 0 measured (whatever the figures say) · 64 usage · 70 the bench itself failed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { killAll } from '../harness/children.mjs'
import { machineShape } from '../harness/machine.mjs'
import { notMeasured, showMissed, showTable } from '../harness/report.mjs'
import { added } from './added.mjs'
import { claude } from './claude.mjs'
import { many } from './many.mjs'
import { bundle } from './processes.mjs'
import { parts } from './rows.mjs'

/** `atOnce`: so many scenes at a time. */
const whole = { seconds: 60, hiddenSeconds: 60, urgentSeconds: 90, overloadSeconds: 60, burst: 1, rpm: 300, added: 2000, atOnce: 2 }
/** To see whether it works; its figures are not to be quoted. */
const quick = { seconds: 25, hiddenSeconds: 30, urgentSeconds: 25, overloadSeconds: 30, burst: 0.4, rpm: 300, added: 300, atOnce: 11 }
const names = [...parts.keys(), 'added', 'many', 'claude']
/** Longer than what is quick. */
const slow = ['claude']
const heads = ['what', 'through the gateway', 'straight', 'goal', 'reached']
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const say = (/** @type {string} */ text) => void process.stderr.write(`${text}\n`)

/** @param {{ wanted: ReadonlySet<string>, some: readonly string[], amounts: typeof whole, seed: number, write: boolean }} options */
const measure = async ({ wanted, some, amounts, seed, write }) => {
  const begun = performance.now()
  // In the checkout: the programs look for packages there.
  mkdirSync(join(root, 'bench', 'tmp'), { recursive: true })
  const dir = mkdtempSync(join(root, 'bench', 'tmp', 'gateway-'))
  process.once('exit', () => {
    killAll()
    rmSync(dir, { recursive: true, force: true })
  })
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ]))
    process.once(signal, () => process.exit(code))
  const stage = { programs: await bundle(root, dir), dir, seed }
  /** @type {Map<string, import('../harness/report.mjs').Row[]>} */
  const rows = new Map()
  /** @param {string} name @param {() => Promise<import('../harness/report.mjs').Row[]>} part */
  const attempt = async (name, part) => {
    say(name)
    try {
      rows.set(name, await part())
    } catch (error) {
      rows.set(name, [notMeasured(name, error instanceof Error ? error.message : String(error), '')])
      process.exitCode = 70
    }
  }
  // Alone, before the others use the machine.
  if (wanted.has('added')) await attempt('added', () => added(stage, amounts.added))
  if (wanted.has('many')) await attempt('many', () => many(stage))
  const waiting = [...parts].filter(([name]) => wanted.has(name))
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, part] = next
      await attempt(name, () => part(stage, amounts))
    }
  }
  await Promise.all(Array.from({ length: amounts.atOnce }, work))
  // Twenty-four of them need the machine for themselves.
  if (wanted.has('claude')) await attempt('claude', () => claude(stage, root))
  const all = names.flatMap((name) => rows.get(name) ?? [])
  const table = showTable(all, heads)
  process.stdout.write(`${table}\n`)
  const command = ['npm run bench:gateway', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
  const minutes = ((performance.now() - begun) / 60_000).toFixed(0)
  if (write)
    writeFileSync(
      join(root, 'bench', `${['results-gateway', ...some].join('-')}.md`),
      showResults({ table, missed: showMissed(all), command, minutes, dir, seed }),
    )
}

/** @param {{ table: string, missed: string, command: string, minutes: string, dir: string, seed: number }} run */
const showResults = ({ table, missed, command, minutes, dir, seed }) => `# Results of the gateway's bench

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, in ${minutes} minutes, seed ${seed}.

${machineShape(dir)}

${table}

## Not reached
${missed}

## How it was measured
- Provider (\`test/support/provider\`), gateway (\`penny gateway run\`) and agents are processes of their own with loopback sockets between them; the gateway
  knows no limit beforehand. Both columns run at the same time, each with a provider of its own, which judges: what it let in, refused,
  and was sent although it had told to wait.
- An agent is a loop with the official SDK as it comes (two retries); a task is one request, lost when the SDK gives up. An answer takes
  1 to 3 s (urgent: 2 s). What an agent had begun when the time is over is waited for.
- Goodput: what was let in, of a full bucket and what flowed into it. With the 529 burst the bucket holds a whole minute, so that what the
  outage left is all of it. A hidden concurrency's goodput is the part of its places that was busy.
- Shares (Jain's index, weights): of what was let in after the first 12 s, in which the gateway learns how many the provider bears.
- Starvation: the longest time from one answer an agent got to the next request of its that was let in.
- Added latency: the same request straight, through a proxy that only pipes (\`bench/gateway/plain.mjs\`: what Node itself takes for one
  more pair of sockets) and through the gateway in turn, each with one connection that stays; differences of the quantiles, after
  3,000 requests of each that do not count, so that all three programs are compiled.
- Twelve \`claude -p\`: the real client from npm, each at a review of three sections with its own tools; an answer takes 1 to 3 s. A request is
  useful when it was answered whole, and once. A 429 reached a client when it told so itself (\`api_retry\`).
- A decision: a simulation (\`test/share/house.ts\`: 300 requests a minute, five ranks, three weights; there is a line in each case) is
  recorded, and all that the scheduler was asked in it is asked again: its processor time per request that is sent, the least of seven; beside it both.
`

try {
  const options = { quick: { type: 'boolean' }, write: { type: 'boolean' }, seed: { type: 'string' } }
  const { values, positionals } = parseArgs({ options: /** @type {const} */ (options), allowPositionals: true })
  const unknown = positionals.find((word) => !names.includes(word))
  if (unknown !== undefined) throw new Error(`what is ${unknown}? Parts: ${names.join(' ')}`)
  const wanted = new Set(positionals.length > 0 ? positionals : names.filter((name) => !values.quick || !slow.includes(name)))
  const amounts = values.quick ? quick : whole
  await measure({ wanted, some: positionals, amounts, seed: Number(values.seed ?? 1), write: !values.quick && values.write === true }).catch((error) => {
    say(`bench: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 70
  })
} catch (error) {
  say(`${error instanceof Error ? error.message : error}`)
  process.exitCode = 64
}
