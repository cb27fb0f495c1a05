import { resolve } from 'node:path'

/** The parts in the order in which they run. `neighbours` includes the bursts that it is compared with. */
export const partNames = /** @type {const} */ (['startup', 'latency', 'burst', 'neighbours', 'journal', 'slow', 'rest', 'pending', 'walls'])

/** @typedef {typeof partNames[number]} PartName */

/** How much of everything; `--quick` is for looking whether the bench works, its figures are not to be quoted. */
const full = {
  recipe: { one: 600, many: 6000 },
  latency: { warmUp: 300, messages: 1000, perSecond: 100, rounds: 3 },
  burst: { messages: 10_000, rounds: 3 },
  neighbours: { maildrop: 1000, dovecot: 3000, postfix: 5000 },
  slow: { writers: 20, pausesMs: [1000, 5000] },
  pending: { messages: 100_000, notSettled: 10_000, restarts: 3 },
  rest: { agents: 3000, settleMs: 10_000, idleMs: 60_000 },
  startup: { rounds: 21 },
  walls: { starts: 100, commands: 21, warmUp: 300, messages: 1000, perSecond: 100, burst: 5000, runs: 400, rounds: 3 },
}

/** @typedef {typeof full} Amounts */

/** @type {Amounts} */
const quick = {
  recipe: { one: 200, many: 2000 },
  latency: { warmUp: 100, messages: 300, perSecond: 100, rounds: 1 },
  burst: { messages: 2000, rounds: 1 },
  neighbours: { maildrop: 200, dovecot: 500, postfix: 500 },
  slow: { writers: 10, pausesMs: [1000] },
  pending: { messages: 5000, notSettled: 500, restarts: 1 },
  rest: { agents: 300, settleMs: 3000, idleMs: 15_000 },
  startup: { rounds: 7 },
  walls: { starts: 20, commands: 5, warmUp: 100, messages: 200, perSecond: 100, burst: 1000, runs: 60, rounds: 1 },
}

/** @typedef {{ readonly parts: ReadonlySet<PartName>, readonly results: string | undefined, readonly amounts: Amounts, readonly dir: string, readonly penny: string, readonly keep: boolean }} Options */

export const usage = `npm run bench                          everything (about a quarter of an hour)
npm run bench -- latency burst         these parts, into results-latency-burst.md; of: ${partNames.join(' ')}
npm run bench -- --quick               small numbers, to see whether it works; writes no results
npm run bench -- --dir /srv/disk       on another disk (a folder made there is removed at the end)
npm run bench -- --penny FILE          another build of penny than dist/cli/penny.js
npm run bench -- --keep                leaves its folder, with the daemon's logs, for looking`

/** @param {string} word @returns {word is PartName} */
const isPart = (word) => /** @type {readonly string[]} */ (partNames).includes(word)

/** Reads the command line; a word that is neither a part nor an option is an error with the usage in it.
 * @param {readonly string[]} argv
 * @param {{ readonly dir: string, readonly penny: string }} defaults
 * @returns {Options} */
export const readOptions = (argv, defaults) => {
  /** @type {Set<PartName>} */
  const parts = new Set()
  let small = false
  let keep = false
  let { dir, penny } = defaults
  const words = [...argv]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (isPart(word)) parts.add(word)
    else if (word === '--quick') small = true
    else if (word === '--keep') keep = true
    else if (word === '--help') throw new Error(usage)
    else if (word === '--dir') dir = resolve(words.shift() ?? '')
    else if (word === '--penny') penny = resolve(words.shift() ?? '')
    else throw new Error(`what is ${word}?\n${usage}`)
  }
  const named = partNames.filter((name) => parts.has(name))
  const results = small ? undefined : `${['results', ...named].join('-')}.md`
  return { parts: new Set(named.length === 0 ? partNames : named), results, amounts: small ? quick : full, dir, penny, keep }
}
