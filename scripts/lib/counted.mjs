// What V8 counted while the tests ran: one small file for each test file, and the report of them all.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const COUNTED = resolve('.tap/coverage')
/** The libraries, Node itself and the tests are not what is asked about. */
const OURS = [resolve('dist-test/src'), resolve('dist')].map((folder) => `${pathToFileURL(folder)}/`)
const isOurs = (url) => OURS.some((start) => url.startsWith(start))

export function forgetCounted() {
  for (const old of [COUNTED, resolve('.tap/report'), resolve('.tap/counting')]) rmSync(old, { recursive: true, force: true })
  mkdirSync(COUNTED, { recursive: true })
}

/** Where the processes of one test file write. */
export const countingFolder = (n) => resolve('.tap/counting', String(n))

/** Keeps of them what is about this project; they may be hundreds of commands. */
export function keepCounted(n) {
  const result = []
  const maps = {}
  for (const file of filesIn(countingFolder(n))) {
    const all = readCounted(`${countingFolder(n)}/${file}`)
    result.push(...all.result.filter(({ url }) => isOurs(url)))
    for (const [url, map] of Object.entries(all['source-map-cache'] ?? {})) if (isOurs(url)) maps[url] = map
  }
  rmSync(countingFolder(n), { recursive: true, force: true })
  if (result.length > 0) writeFileSync(`${COUNTED}/${n}.json`, JSON.stringify({ result, 'source-map-cache': maps }))
}

function filesIn(folder) {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (cause.code === 'ENOENT') return []
    throw cause
  }
}

/** Nothing of one that was killed while it wrote. */
function readCounted(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    if (cause instanceof SyntaxError) return { result: [] }
    throw cause
  }
}

/** Writes .tap/report/lcov.info. */
export function reportCounted() {
  spawnSync(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'report', 'lcovonly'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
