/** The value below which `share` (0 to 1) of the numbers lie, by the nearest-rank method. NaN for no numbers: a hole must show.
 * @param {readonly number[]} numbers
 * @param {number} share */
export const percentile = (numbers, share) => {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** @param {readonly number[]} numbers */
export const median = (numbers) => percentile(numbers, 0.5)

/** Nanoseconds of CLOCK_MONOTONIC, the clock of every program in bench/c. A double holds them exactly for the first 104 days of uptime
 * and to a microsecond for ever after. */
export const nowNs = () => Number(process.hrtime.bigint())

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {number} value */
const digits = (value) => (value >= 100 ? 0 : value >= 10 ? 1 : 2)

/** @param {number} ms */
export const showMs = (ms) => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(digits(ms))} ms`)

/** @param {number} perSecond */
export const showRate = (perSecond) => `${Math.round(perSecond).toLocaleString('en')}/s`

/** @param {number} ratio */
export const showRatio = (ratio) => `${ratio.toFixed(2)} ×`

/** @param {number} bytes */
export const showMb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`
