/** Drops mail and sees it arrive: bench/c/drop writes, bench/c/watch looks, both on the same clock. */
import { ended, run, start } from './children.mjs'
import { inboxes, lanes } from './organisation.mjs'
import { messageBytes } from './reference.mjs'

/** @typedef {import('./organisation.mjs').Organisation} Organisation */
/** @typedef {import('./programs.mjs').Programs} Programs */
/** @typedef {{ readonly ns: number, readonly name: string }} Sighting */
/** @typedef {{ readonly number: number, readonly latencyMs: number, readonly name: string }} Arrival */
/**
 * @typedef {object} Passage
 * @property {readonly Arrival[]} arrivals
 * @property {number} tookMs from the first drop to the last arrival
 * @property {number} missing messages that did not arrive in time
 * @property {number} twice messages that arrived under two ids
 */

/** Starts a watch; when this has resolved, it really watches.
 * @param {Programs} programs
 * @param {readonly string[]} folders
 * @param {{ readonly count: number, readonly seconds: number, readonly mark?: string }} what
 * @returns {Promise<{ readonly seen: Promise<readonly Sighting[]> }>} what was seen, in order, once all came or the seconds are over */
export const watchFolders = async (programs, folders, { count, seconds, mark = '-' }) => {
  const child = start(programs.watch, [String(count), String(seconds), mark, ...folders])
  const end = ended(child)
  await Promise.race([new Promise((resolve) => child.stdout?.once('data', resolve)), end])
  return { seen: end.then(readSightings) }
}

/** @param {import('./children.mjs').Ended} end @returns {readonly Sighting[]} */
const readSightings = ({ stdout, stderr }) => {
  if (stderr !== '') throw new Error(`watch: ${stderr.trim()}`)
  return stdout
    .split('\n')
    .slice(1, -1)
    .map((line) => ({ ns: Number(line.slice(0, line.indexOf(' '))), name: line.slice(line.indexOf(' ') + 1) }))
}

/** Message numbers are never used twice in a run of the bench, so that an arrival always belongs to one drop. */
let nextNumber = 0

/** @param {number} count */
const takeNumbers = (count) => {
  nextNumber += count
  return nextNumber - count
}

/** Drops without looking: for filling a root. Returns the number of the first message.
 * @param {Programs} programs
 * @param {Organisation} organisation
 * @param {'rate' | 'burst' | 'slow'} way
 * @param {number} count
 * @param {number} value messages a second for `rate`, milliseconds of silence for `slow`
 * @returns {Promise<ReadonlyMap<number, number>>} message number → nanoseconds of its drop */
export const drop = async (programs, organisation, way, count, value = 0) => {
  const first = takeNumbers(count)
  const printed = await run(programs.drop, [way, String(count), String(first), String(value), String(messageBytes), ...lanes(organisation)])
  const lines = printed.trim().split('\n')
  return new Map(lines.map((line) => [Number(line.split(' ')[1]), Number(line.split(' ')[0])]))
}

/** Drops and waits until every message is in a new/, at most `seconds`.
 * @param {Programs} programs
 * @param {Organisation} organisation
 * @param {{ readonly way: 'rate' | 'burst' | 'slow', readonly count: number, readonly value?: number, readonly seconds: number }} what
 * @returns {Promise<Passage>} */
export const pass = async (programs, organisation, { way, count, value = 0, seconds }) => {
  const { seen } = await watchFolders(programs, inboxes(organisation), { count, seconds, mark: 'bench-' })
  const dropped = await drop(programs, organisation, way, count, value)
  return compare(dropped, await seen)
}

/** The id in a delivered file's name: `<rank>-<priority>.<id>.<slug>.md` (contract page 2).
 * @param {string} name */
const idOf = (name) => name.split('.')[1] ?? name

/** @param {ReadonlyMap<number, number>} dropped @param {readonly Sighting[]} seen @returns {Passage} */
export const compare = (dropped, seen) => {
  /** @type {Map<number, Arrival>} */
  const arrivals = new Map()
  /** @type {Set<number>} */
  const twice = new Set()
  let last = 0
  for (const { ns, name } of seen) {
    const number = Number(name.match(/bench-(\d+)/)?.[1] ?? -1)
    const dropNs = dropped.get(number)
    if (dropNs === undefined) continue
    const earlier = arrivals.get(number)
    if (earlier === undefined) {
      arrivals.set(number, { number, latencyMs: (ns - dropNs) / 1e6, name })
      last = Math.max(last, ns)
    } else if (idOf(earlier.name) !== idOf(name)) twice.add(number)
  }
  const firstDrop = [...dropped.values()].reduce((low, ns) => Math.min(low, ns), Number.POSITIVE_INFINITY)
  return { arrivals: [...arrivals.values()], tookMs: (last - firstDrop) / 1e6, missing: dropped.size - arrivals.size, twice: twice.size }
}
