// Runs the compiled tests (dist-test/), one line for each file as it ends, and the failed assertions in full.
// Writes `passed failed skipped` to .tap/counts for scripts/test. Exit: 0 nothing failed · 1 something did.
//
//   node scripts/lib/tests.mjs [--quick] [path in dist-test/ …]
//
// Each file is a program that prints TAP. `tap run` would load TypeScript and its own loaders into each of them, which took more
// time than most of the files themselves.
// As root nothing has a reason to be skipped, so there a skipped assertion counts as a failed one.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { countingFolder, forgetCounted, keepCounted, reportCounted } from './counted.mjs'
import { countsIn, readBlock } from './tap-lines.mjs'

const COMPILED = 'dist-test/test'
/** They start daemons, kill them or need uid 0: too slow for between two edits. */
const SLOW = ['attacks', 'clients', 'e2e', 'root', 'crash'].map((room) => `${COMPILED}/${room}/`)
/** The longest begin first: else one of them would still run alone when all others are over. */
const LONGEST = ['crash/kill9', 'e2e/demo', 'crash/seam', 'e2e/odd-workspaces', 'attacks/floods', 'attacks/table', 'root/power-cut', 'attacks/storms']
/** Some wait: a file more than there are processors. */
const AT_ONCE = 3
/** What a test may take, unless it says another time itself: seconds. */
const BOUND_S = 300
/** For one that does not even end itself: milliseconds. */
const FORCED_MS = 600_000

const quick = process.argv.includes('--quick')
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const files = asked.length > 0 ? asked : testFiles().filter((file) => !quick || !SLOW.some((folder) => file.startsWith(folder)))

function testFiles() {
  const rank = (file) => (LONGEST.indexOf(relative(COMPILED, file).replace('.test.js', '')) + LONGEST.length + 1) % (LONGEST.length + 1)
  return readdirSync(COMPILED, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(COMPILED, name))
    .sort()
    .sort((a, b) => rank(a) - rank(b))
}

const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    for (const child of running) child.kill('SIGTERM')
    process.exit(1)
  })

function runFile(file, n) {
  const began = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', `--import=${import.meta.resolve('./cover.mjs')}`, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP: '1', TAP_TIMEOUT: String(BOUND_S), NODE_V8_COVERAGE: countingFolder(n) },
  })
  running.add(child)
  const forced = setTimeout(() => child.kill('SIGKILL'), FORCED_MS)
  const text = []
  child.stdout.on('data', (chunk) => text.push(chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearTimeout(forced)
      running.delete(child)
      keepCounted(n)
      const lines = Buffer.concat(text).toString().split('\n')
      const counts = countsIn(lines)
      const { failed, skipped } = readBlock(lines)
      const ok = status === 0 && counts !== undefined && (counts.fail ?? 0) === 0
      if (!ok && failed.length === 0) failed.push(`it ended with ${status ?? signal}${counts ? '' : ', before it was through'}`)
      const name = file.replace('dist-test/', '').replace(/\.js$/, '.ts')
      resolve({ ok, name, seconds: (performance.now() - began) / 1000, failed, skipped, counts: counts ?? {} })
    })
  })
}

function report({ ok, name, seconds, failed, skipped }) {
  console.log(`${ok ? '  ok  ' : 'NOT OK'} ${name} (${seconds.toFixed(1)} s)`)
  for (const one of failed) console.log(one.replace(/^/gm, '         '))
  for (const one of skipped) console.log(`         skipped: ${one}`)
}

mkdirSync('.tap', { recursive: true })
rmSync('.tap/counts', { force: true })
if (files.length === 0) {
  console.log('there are no tests to run')
  process.exit(1)
}
forgetCounted()
let [passed, failures, skips, next] = [0, 0, 0, 0]
async function work() {
  while (next < files.length) {
    const n = next++
    const ended = await runFile(files[n], n)
    passed += ended.counts.pass ?? 0
    skips += (ended.counts.skip ?? 0) + (ended.counts.todo ?? 0)
    // One that died, or ended badly without a failed assertion, is still a failure.
    failures += Math.max(ended.counts.fail ?? 0, ended.ok ? 0 : 1)
    report(ended)
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work))
reportCounted()

const root = process.getuid() === 0
if (root && skips > 0) {
  console.log(`${skips} skipped as root: counted as failed, for here nothing has a reason to be skipped`)
  failures += skips
}
writeFileSync('.tap/counts', `${passed} ${failures} ${root ? 0 : skips}\n`)
process.exit(failures === 0 ? 0 : 1)
