/** docs/operations.md, from the fault table: what to do at 3 a.m. for each alert. */
import { FAULTS, type FaultCode } from '../core/fault.ts'

const HEAD = `# Operations

What to do at 3 a.m., one section for each alert. This page is printed from the fault table in \`src/core/fault.ts\` by
\`node scripts/print-operations.mjs\`; edit it there.

## First

\`\`\`sh
penny status          # is the daemon there, is anything wedged, what needs a person
penny alerts          # every open alert, the critical ones first, each with the command that mends it
penny doctor          # really tries a delivery, a lock, the folders, the clocks
\`\`\`

With the daemon down, \`ls spool/alerts/\` and \`cat\` show the same: one file per alert, \`<code>.<key>.md\`. Its front matter
says what it is about, whom it concerns, since when, how often, and the command that mends it (\`fix:\`). Files that could not
be admitted lie in \`spool/held/\`, bytes untouched, each with a \`.why.md\` beside it; \`penny release FILE\` tries one again.
\`org.yaml: notify:\` commands get each new alert on standard input: ten in a minute, then one that says how many more.

\`drops 5 = admitted 4 + held 1 + repeats 0\` in \`penny status\` counts since the organisation began: a held file that was released
stays in \`held\`, and its release is one more drop. What is held now is \`penny held\`. [running.md](running.md) has starting at
boot, backup, upgrades and where the logs are.

How an alert closes:

- a **condition** is closed by the daemon when its cause is gone. One that a person closes comes back if it is found again.
- an **event** happened and is over. It is closed by \`mv\` to \`spool/alerts/done/\`, by \`penny alerts done ID\` (or \`all\`), or
  by itself 24 h after it last happened.

Above twenty open alerts of one code for one agent, \`<code>.<agent>-many.md\` counts the others.
`

/** The whole page, with a final newline. */
export function operationsPage(): string {
  const codes = Object.keys(FAULTS) as FaultCode[]
  return [HEAD, table(codes), ...codes.map(section)].join('\n')
}

function table(codes: readonly FaultCode[]): string {
  const rows = codes.map((code) => `| [\`${code}\`](#${code}) | ${FAULTS[code].severity} | ${FAULTS[code].kind} |`)
  return ['## Every alert', '', '| code | how bad | closes as |', '|---|---|---|', ...rows, ''].join('\n')
}

function section(code: FaultCode): string {
  const { meaning, todo } = FAULTS[code]
  return `### \`${code}\`\n\n${meaning}\n\n**Do:** ${todo}\n`
}
