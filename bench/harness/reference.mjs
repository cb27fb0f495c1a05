/**
 * The bare recipe in C, sampled again and again between the measurements: a disk that another tenant slows down for a minute slows both
 * sides of a ratio, and the median forgets it.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './children.mjs'
import { median, percentile } from './numbers.mjs'

/** Size of every message in the bench, in bytes (contract: 2 KB). */
export const messageBytes = 2048

/** @typedef {{ readonly rate: number, readonly p50Ms: number, readonly p99Ms: number }} Recipe */

/** @param {{ readonly programs: import('./programs.mjs').Programs, readonly dir: string, readonly amounts: import('./options.mjs').Amounts }} setting */
export const makeReference = ({ programs, dir, amounts }) => {
  /** @type {Recipe[]} */
  const ones = []
  /** @type {Recipe[]} */
  const manys = []

  /** @param {number} count @param {number} threads @returns {Promise<Recipe>} */
  const measure = async (count, threads) => {
    const folder = join(dir, 'recipe')
    mkdirSync(folder, { recursive: true })
    const lines = (await run(programs.recipe, [folder, String(count), String(threads), String(messageBytes)])).trim().split('\n')
    rmSync(folder, { recursive: true })
    const totalNs = Number(lines.pop()?.split(' ')[1])
    const tookMs = lines.map((line) => Number(line) / 1e6)
    return { rate: count / (totalNs / 1e9), p50Ms: median(tookMs), p99Ms: percentile(tookMs, 0.99) }
  }

  return {
    /** One sample of each; called before and after everything that is measured. */
    sample: async () => {
      ones.push(await measure(amounts.recipe.one, 1))
      manys.push(await measure(amounts.recipe.many, 64))
    },
    /** Where a part begins: a part is compared with the samples taken from then on (and the one right before), not with those of a
     * quarter of an hour ago. */
    mark: () => Math.max(0, ones.length - 1),
    l1: (from = 0) => summary(ones.slice(from)),
    l64: (from = 0) => summary(manys.slice(from)),
    samples: () => ({ ones, manys }),
  }
}

/** @typedef {ReturnType<typeof makeReference>} Reference */

/** @param {readonly Recipe[]} samples @returns {Recipe} */
const summary = (samples) => ({
  rate: median(samples.map((sample) => sample.rate)),
  p50Ms: median(samples.map((sample) => sample.p50Ms)),
  p99Ms: median(samples.map((sample) => sample.p99Ms)),
})
