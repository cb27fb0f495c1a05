// Prints what the tests did not run: every file of src/ that is not wholly covered, with its lines, and the share of the whole.
// A file that no test loaded counts with all its lines; one that is types only has nothing to run and does not count.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'

const REPORT = '.tap/report/lcov.info'

if (!existsSync(REPORT)) {
  console.log(`no coverage was written to ${REPORT}`)
  process.exit(1)
}

const covered = readLcov(readFileSync(REPORT, 'utf8'))
const rows = sources().map((file) => covered.get(file) ?? neverLoaded(file))
const found = sum(rows, (row) => row.lines)
const hit = sum(rows, (row) => row.lines - row.missed.length)
const branches = sum(rows, (row) => row.branches)
const taken = sum(rows, (row) => row.taken)

for (const row of rows.filter((one) => one.missed.length > 0).sort((a, b) => a.file.localeCompare(b.file))) {
  const where = row.loaded ? `not run: ${ranges(row.missed)}` : 'no test loads it'
  console.log(`${share(row.lines - row.missed.length, row.lines)}  ${row.file}  ${where}`)
}
console.log(
  `${share(hit, found)} of lines (${hit} of ${found}), ${share(taken, branches).trim()} of the branches in what ran (${taken} of ${branches}), ${rows.length} files`,
)

function readLcov(text) {
  const byFile = new Map()
  for (const record of text.split('end_of_record')) {
    const file = /^SF:(.+)$/m.exec(record)?.[1]
    if (file === undefined) continue
    const name = relative('.', file).split(sep).join('/')
    const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)]
    const number = (key) => Number(new RegExp(`^${key}:(\\d+)$`, 'm').exec(record)?.[1] ?? 0)
    byFile.set(name, {
      file: name,
      loaded: true,
      lines: lines.length,
      missed: lines.filter(([, , count]) => count === '0').map(([, line]) => Number(line)),
      branches: number('BRF'),
      taken: number('BRH'),
    })
  }
  return byFile
}

/** The files of src/ that have something to run. */
function sources() {
  return readdirSync('src', { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('src', name))
    .filter((file) => hasCode(join('dist-test', file.replace(/\.ts$/, '.js'))))
}

function hasCode(compiled) {
  if (!existsSync(compiled)) return true
  const text = readFileSync(compiled, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  return text.replace(/export \{\};?/g, '').trim() !== ''
}

function neverLoaded(file) {
  const count = readFileSync(file, 'utf8').trimEnd().split('\n').length
  return { file, loaded: false, lines: count, missed: Array.from({ length: count }, (_, at) => at + 1), branches: 0, taken: 0 }
}

function ranges(lines) {
  const runs = []
  for (const line of lines) {
    const last = runs.at(-1)
    if (last && last[1] === line - 1) last[1] = line
    else runs.push([line, line])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')
}

function share(part, whole) {
  return `${(whole === 0 ? 100 : (100 * part) / whole).toFixed(1).padStart(5)} %`
}

function sum(list, figure) {
  return list.reduce((total, one) => total + figure(one), 0)
}
