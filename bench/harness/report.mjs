/** The table: what was measured, beside what, the goal of contract page 4, and whether it was reached. */
import { machineShape } from './machine.mjs'
import { showMs, showRate } from './numbers.mjs'

/**
 * @typedef {object} Row
 * @property {string} what
 * @property {string} measured
 * @property {string} beside the reference of the same run, with the ratio
 * @property {string} goal empty for a figure that has no goal
 * @property {'yes' | 'no' | 'not measured' | ''} reached
 */

/** @param {boolean} reached */
export const yesNo = (reached) => (reached ? 'yes' : 'no')

/** @param {string} what @param {string} why @param {string} goal @returns {Row} */
export const notMeasured = (what, why, goal) => ({ what, measured: '–', beside: why, goal, reached: 'not measured' })

const heads = ['what', 'measured', 'beside it', 'goal', 'reached']

/** @param {Row} row */
const cells = (row) => [row.what, row.measured, row.beside, row.goal, row.reached].map((cell) => cell.replaceAll('\n', ' ').replaceAll('|', '\\|'))

/** The rows as a Markdown table, padded so that it reads well in a terminal too.
 * @param {readonly Row[]} rows @param {readonly string[]} [titles] of the columns */
export const showTable = (rows, titles = heads) => {
  const lines = [titles, ...rows.map(cells)]
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => [...(line[column] ?? '')].length)))
  /** @param {readonly string[]} line @param {string} fill */
  const show = (line, fill = ' ') => `| ${line.map((cell, column) => cell + fill.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`
  return [
    show(titles),
    show(
      titles.map(() => ''),
      '-',
    ),
    ...rows.map((row) => show(cells(row))),
  ].join('\n')
}

/** @param {import('./reference.mjs').Reference} reference */
const showReference = (reference) => {
  const { ones, manys } = reference.samples()
  /** @param {readonly import('./reference.mjs').Recipe[]} samples */
  const range = (samples) => {
    const rates = samples.map((sample) => sample.rate)
    return `${showRate(Math.min(...rates))} to ${showRate(Math.max(...rates))} in ${samples.length} samples`
  }
  return `- L1, one at a time: ${showRate(reference.l1().rate)}, p50 ${showMs(reference.l1().p50Ms)}, p99 ${showMs(reference.l1().p99Ms)} (${range(ones)})
- L64, 64 at a time: ${showRate(reference.l64().rate)}, p50 ${showMs(reference.l64().p50Ms)} (${range(manys)})`
}

/** @param {readonly Row[]} rows */
export const showMissed = (rows) => {
  const missed = rows.filter((row) => row.reached === 'no').map((row) => `- ${row.what}: ${row.measured}; goal ${row.goal}`)
  const unmeasured = rows.filter((row) => row.reached === 'not measured').map((row) => `- ${row.what}: not measured. ${row.beside}`)
  return [...missed, ...unmeasured].join('\n') || 'Everything that has a goal reached it.'
}

/** bench/results.md.
 * @param {{ readonly rows: readonly Row[], readonly reference: import('./reference.mjs').Reference, readonly dir: string, readonly command: string, readonly minutes: number }} run */
export const showResults = ({ rows, reference, dir, command, minutes }) => `# Results of the bench

Written by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, in ${minutes.toFixed(0)} minutes. Ratios travel from one machine to another, absolute figures don't.

${machineShape(dir)}

The bare recipe in C (create, write 2 KB, fsync, rename, fsync the folder), sampled before and after each measurement, medians:
${showReference(reference)}

${showTable(rows)}

## Not reached
${showMissed(rows)}

## How it was measured
- Drops are written and arrivals are seen by small programs in C (\`bench/c\`), on one clock. A time begins right before the drop's
  rename (for the slow writer: right before its close) and ends when inotify reports the message in \`new/\`.
- The organisation has thirty agents, as the example has, without runners (but where runs are measured): mail arrives and stays. Each agent writes to
  the next one through its outbox, as its own uid when the bench runs as root; so every message also gets its mirror in \`sent/\`.
- The thirty writers of the burst don't fsync; the daemon does, and a message counts when it is in \`new/\`. The bare recipe fsyncs in
  its own loop and has no sender, no parsing, no intent, no mirror.
- A jail's start is taken from the call to the end of \`true\` and of its output, with the jail's words and the starting of \`src/\`, from a
  process as small as \`node\`; a plain spawn is the same program as the daemon's own user, right before. The p95 is set against the
  plain spawn's median, so that its own outliers excuse nothing.
- Cores are shared: recipe, writers, watch and daemon run on the same ones.
- Memory is VmRSS of the daemon and of whatever it started; CPU is theirs, user and system together.

## Different work
- maildrop and Postfix don't fsync the folder, so after a power cut on a file system without a journal their messages can be gone;
  pennypost's are not. Dovecot fsyncs as its default \`mail_fsync = optimized\` says.
- Postfix writes each message twice (queue, mailbox), as pennypost does (intent, message). It runs here with
  \`in_flow_delay = 0\` and without DNS, content filters or TLS: its best case.
- maildrop is a process per message by design; eight at a time is shown as well.
- A database (SQLite, synchronous=FULL) does other work: rows in one file that no agent can \`ls\` or \`cat\`. It isn't in this table.
`
