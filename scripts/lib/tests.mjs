// Runs the compiled tests (dist-test/) under tap, one line for each file as it ends, and the failed assertions in full.
// Writes `passed failed skipped` to .tap/counts for scripts/test. Exit: 0 nothing failed · 1 something did.
//
//   node scripts/lib/tests.mjs [--quick] [path in dist-test/ …]
//
// As root nothing has a reason to be skipped, so there a skipped assertion counts as a failed one.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const COMPILED = 'dist-test/test'
/** They start daemons, kill them or need uid 0: too slow for between two edits. */
const SLOW = ['attacks', 'clients', 'e2e', 'root', 'crash', 'bench'].map((room) => `${COMPILED}/${room}/`)

const quick = process.argv.includes('--quick')
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const files = asked.length > 0 ? asked : testFiles().filter((file) => !quick || !SLOW.some((folder) => file.startsWith(folder)))

function testFiles() {
  return readdirSync(COMPILED, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(COMPILED, name))
    .sort()
}

/** The failed and skipped lines of one file's TAP, failures with the YAML that tap prints after them. */
function readBlock(lines) {
  const failed = []
  const skipped = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]
    const found = /^( *)(not ok|ok) \d+(?: - (.*?))?(?: # (SKIP|TODO|time=)(.*))?$/i.exec(line.replace(/ \{$/, ''))
    if (!found) continue
    const [, indent, outcome, title = '', directive = '', reason = ''] = found
    if (/^(skip|todo)$/i.test(directive)) skipped.push(`${title.trim()}${reason ? ` (${reason.trim()})` : ''}`)
    else if (outcome === 'not ok') {
      // A test that failed because of what is in it has been explained by then.
      const because = isParent(lines, at, indent.length) ? [] : diagnosis(lines, at + 1, indent.length)
      failed.push([line.trimStart(), ...because].join('\n'))
    }
  }
  return { failed, skipped }
}

/** The result of a subtest follows its own lines, which are deeper. */
function isParent(lines, at, indent) {
  const before = lines.slice(0, at).findLast((line) => line.trim() !== '')
  return before !== undefined && before.search(/\S/) > indent && before.trim() !== '...'
}

function diagnosis(lines, from, indent) {
  if (lines[from]?.trim() !== '---') return []
  const end = lines.findIndex((line, at) => at > from && line === `${' '.repeat(indent + 2)}...`)
  return lines.slice(from + 1, end < 0 ? from + 1 : end).map((line) => line.slice(indent))
}

/** Reads tap's stream; calls `fileEnded` for each test file and gives the counts of the last line. */
async function follow(stream, fileEnded) {
  let block = []
  let counts
  for await (const line of createInterface({ input: stream })) {
    const summary = /^# (\{ total: \d+.*\})$/.exec(line)
    if (summary) counts = Object.fromEntries([...summary[1].matchAll(/(\w+): (\d+)/g)].map(([, name, count]) => [name, Number(count)]))
    // A file's own line is the first without indent after its block; its diagnosis follows and belongs to it.
    const ended = /^(ok|not ok) \d+ - (\S+)(?:.*# time=([\d.]+)ms)?/.exec(line)
    if (ended) {
      const [, outcome, file, ms] = ended
      fileEnded({
        ok: outcome === 'ok',
        file: file.replace('dist-test/', '').replace(/\.js$/, '.ts'),
        seconds: Number(ms ?? 0) / 1000,
        ...readBlock(block),
        skippedWhole: /# SKIP/i.test(line),
      })
      block = []
    } else block.push(line)
  }
  return counts
}

function report({ ok, file, seconds, failed, skipped }) {
  console.log(`${ok ? '  ok  ' : 'NOT OK'} ${file} (${seconds.toFixed(1)} s)`)
  for (const one of failed) console.log(one.replace(/^/gm, '         '))
  for (const one of skipped) console.log(`         skipped: ${one}`)
}

if (files.length === 0) {
  console.log('there are no tests to run')
  process.exit(1)
}
mkdirSync('.tap', { recursive: true })
for (const old of ['counts', 'commands']) rmSync(`.tap/${old}`, { recursive: true, force: true })
const tap = spawn(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'run', '--reporter=tap', '--jobs=3', '--coverage-report=lcovonly', ...files], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise((resolve, reject) => tap.once('error', reject).once('close', (code) => resolve(code ?? 1)))
let badFiles = 0
const counts = await follow(tap.stdout, (file) => {
  if (!file.ok) badFiles++
  report(file)
})
const status = await ended

const passed = counts?.pass ?? 0
const skips = (counts?.skip ?? 0) + (counts?.todo ?? 0)
const root = process.getuid() === 0
// A file that died, or a tap that ended badly without a failed assertion, is still a failure.
const failures = Math.max(counts?.fail ?? 0, badFiles, status === 0 && counts ? 0 : 1) + (root ? skips : 0)
if (root && skips > 0) console.log(`${skips} skipped as root: counted as failed, for here nothing has a reason to be skipped`)
writeFileSync('.tap/counts', `${passed} ${failures} ${root ? 0 : skips}\n`)
process.exit(failures === 0 ? 0 : 1)
