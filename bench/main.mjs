/**
 * The bench (contract page 4, "Speed and size"): drives the built penny from outside, through files and commands, beside the bare recipe
 * in C and three mail servers of Debian, on one disk in one run. Prints a table, writes bench/results.md (of some parts alone:
 * bench/results-PART.md); asserts nothing.
 * Exit: 0 measured (whatever the figures say) · 64 usage · 70 the bench itself failed · 130/143 interrupted.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { killAll } from './harness/children.mjs'
import { unmountAll } from './harness/loop.mjs'
import { readOptions } from './harness/options.mjs'
import { compile } from './harness/programs.mjs'
import { makeReference } from './harness/reference.mjs'
import { notMeasured, showResults, showTable } from './harness/report.mjs'
import { burst } from './parts/burst.mjs'
import { journal } from './parts/journal.mjs'
import { latency } from './parts/latency.mjs'
import { pending } from './parts/pending.mjs'
import { rest } from './parts/rest.mjs'
import { slow } from './parts/slow.mjs'
import { startup } from './parts/startup.mjs'
import { walls } from './parts/walls.mjs'

/**
 * @typedef {object} Bench what every part is given
 * @property {import('./harness/programs.mjs').Programs} programs
 * @property {string} penny path of the built command
 * @property {string} dir the bench's folder, on the disk that is measured
 * @property {import('./harness/options.mjs').Amounts} amounts
 * @property {import('./harness/reference.mjs').Reference} reference
 * @property {(text: string) => void} say progress, on standard error
 * @property {(row: import('./harness/report.mjs').Row) => void} add a line of the table
 */

const here = dirname(fileURLToPath(import.meta.url))

/** What is run, in this order; the neighbours are measured between the bursts that they are compared with.
 * @param {ReadonlySet<string>} wanted
 * @returns {readonly (readonly [string, (bench: Bench) => Promise<void>])[]} */
const runs = (wanted) => [
  ['startup', startup],
  ['latency', latency],
  ['burst', (bench) => burst(bench, { withNeighbours: wanted.has('neighbours') })],
  ['journal', journal],
  ['slow', slow],
  ['rest', rest],
  ['pending', pending],
  ['walls', walls],
]

/** One part. Where it fails, the others are still measured, and the table says so.
 * @param {Bench} bench @param {string} name @param {(bench: Bench) => Promise<void>} part */
const attempt = async (bench, name, part) => {
  try {
    await part(bench)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    bench.say(`${name}: ${why}`)
    bench.add(notMeasured(`what is left of ${name}`, why, ''))
    process.exitCode = 70
    killAll()
  }
}

/** @param {import('./harness/options.mjs').Options} options */
const measure = async ({ parts, results, amounts, dir: parent, penny, keep }) => {
  if (!existsSync(penny)) throw new Error(`${penny} is not built. fix: npm run build`)
  const begun = performance.now()
  mkdirSync(parent, { recursive: true })
  const dir = mkdtempSync(join(parent, 'run-'))
  // mkdtemp makes it 0700; the mail servers' own users and the agents' uids have to get in
  chmodSync(dir, 0o755)
  const cleanUp = () => {
    killAll()
    unmountAll()
    if (keep) process.stderr.write(`kept: ${dir}\n`)
    else rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])) {
    process.once(signal, () => {
      cleanUp()
      process.exit(code)
    })
  }
  try {
    const programs = await compile(join(here, 'c'), join(dir, 'bin'))
    const reference = makeReference({ programs, dir, amounts })
    /** @type {import('./harness/report.mjs').Row[]} */
    const rows = []
    /** @type {Bench} */
    const bench = { programs, penny, dir, amounts, reference, say: (text) => process.stderr.write(`${text}\n`), add: (row) => rows.push(row) }
    await reference.sample()
    const wanted = new Set(parts.has('neighbours') ? [...parts, 'burst'] : parts)
    for (const [name, part] of runs(wanted)) if (wanted.has(name)) await attempt(bench, name, part)
    await reference.sample()
    process.stdout.write(`${showTable(rows)}\n`)
    const minutes = (performance.now() - begun) / 60_000
    const command = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ')
    if (results !== undefined) writeFileSync(join(here, results), showResults({ rows, reference, dir, command, minutes }))
  } finally {
    cleanUp()
  }
}

try {
  const options = readOptions(process.argv.slice(2), { dir: join(here, 'tmp'), penny: join(here, '..', 'dist', 'cli', 'penny.js') })
  await measure(options).catch((error) => {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 70
  })
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 64
}
