/** The tables of docs/policies.md, and the keys that the program itself says it knows. */
import { stringify } from 'yaml'
import { complaints } from './organisation.ts'

/** A row: `key`, `byDefault` and `example` without the marks of code; `isExact`: the default is one that can be written. */
export type Row = Readonly<{ key: string; byDefault: string; isExact: boolean; example: string }>
export type Values = Readonly<Record<string, unknown>>
type Kind = Readonly<{ file: string; needs: Values; write: (values: Values) => string }>

const yaml = (values: Values): string => stringify(values)
const markdown = (values: Values): string => `---\n${stringify(values)}---\nText.\n`

/** By the heading of the table: a file of that kind in the sound organisation, and what it cannot do without. */
export const KINDS: Readonly<Record<string, Kind>> = {
  'org.yaml': { file: 'org.yaml', needs: { name: 'acme', postmaster: 'operator' }, write: yaml },
  'priorities.yaml': { file: 'priorities.yaml', needs: { normal: { claim_within: '4h', finish_within: '3d' } }, write: yaml },
  'agents/NAME.md': { file: 'agents/legal.md', needs: {}, write: markdown },
  'people/NAME.md': { file: 'people/anna.md', needs: {}, write: markdown },
  'groups/NAME.yaml': { file: 'groups/finance.yaml', needs: { members: ['cfo'] }, write: yaml },
  'providers/NAME.yaml': {
    file: 'providers/main.yaml',
    needs: { api: 'anthropic-messages', base_url: 'https://api.anthropic.com', key_file: '/etc/pennypost/keys/anthropic' },
    write: yaml,
  },
  'schedules/NAME.md': { file: 'schedules/weekly.md', needs: { cron: '0 9 * * MON', to: 'ceo' }, write: markdown },
}

/** What stands for any name of a priority. */
const ANY = '<priority>'
/** So unlike every key that the program answers with all that it knows. */
const NO_KEY = 'qqqqqqqqqqqqqqqq'

/** The rows of the table under `## heading`. */
export function rowsOf(page: string, heading: string): Row[] {
  const [, after = ''] = page.split(`\n## ${heading}\n`)
  const lines = (after.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'))
  return lines.map((line) => {
    const [, key = '', , byDefault = '', , example = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    return { key: bare(key), byDefault: bare(byDefault), isExact: /^`[^`]*`$/.test(byDefault), example: bare(example) }
  })
}

function bare(cell: string): string {
  return cell.replace(/^`([^`]*)`$/, '$1')
}

/** `parents`: keys that have keys of their own in a mapping. */
export function keysOf(heading: string): { leaves: string[]; parents: string[] } {
  const leaves: string[] = []
  const parents: string[] = []
  const visit = (path: string, keys: readonly string[]): void => {
    for (const key of keys) {
      const here = path === '' ? key : `${path}.${key}`
      const inside = known(heading, here)
      const inItems = known(heading, `${here}[]`)
      if (inside || inItems) parents.push(here)
      else leaves.push(here)
      if (inside) visit(here, inside)
      if (inItems) visit(`${here}[]`, inItems)
    }
  }
  // Any word at the top of priorities.yaml is a priority; the one that isn't, is only offered for what resembles it.
  const isScheme = heading === 'priorities.yaml'
  visit('', isScheme ? [ANY, ...offered('aliasses')] : (known(heading, '') ?? []))
  if (accepts(heading, { 'x-own': 1 })) leaves.push('x-…')
  return { leaves, parents }
}

/** The keys in the mapping at `path`, as the refusal of one that there is not names them; undefined: none is refused there. */
function known(heading: string, path: string): string[] | undefined {
  const { file, needs, write } = kindOf(heading)
  const lines = complaints({ [file]: write(put(needs, path === '' ? NO_KEY : `${path}.${NO_KEY}`, 1)) })
  const line = lines.find((one) => one.includes(`unknown key "${NO_KEY}"; known: `))
  return line?.replace(/^.*; known: /, '').split(', ')
}

function offered(word: string): string[] {
  const lines = complaints({ 'priorities.yaml': `${stringify(kindOf('priorities.yaml').needs)}${word}: 1\n` })
  return lines.flatMap((line) => /\(did you mean (\S+)\?\)/.exec(line)?.[1] ?? [])
}

export function accepts(heading: string, values: Values): boolean {
  return wrongIn(heading, values).length === 0
}

export function wrongIn(heading: string, values: Values): string[] {
  const { file, needs, write } = kindOf(heading)
  return complaints({ [file]: write({ ...needs, ...values }) })
}

function kindOf(heading: string): Kind {
  const kind = KINDS[heading]
  if (!kind) throw new Error(`no kind of file is called ${heading}`)
  return kind
}

/** A copy with `value` at `path` (`a.b`, `a[].b`); undefined: with nothing there. */
export function put(values: Values, path: string, value: unknown): Values {
  const [first = '', ...rest] = path.split('.')
  const inList = first.endsWith('[]')
  // In an example a priority is the mapping that stands there.
  const key = first === ANY ? (Object.keys(values)[0] ?? first) : first.replace('[]', '')
  const { [key]: before, ...others } = values
  if (rest.length === 0) return value === undefined ? others : { ...others, [key]: value }
  const inner = inList && Array.isArray(before) ? before[0] : before
  const after = put(isValues(inner) ? inner : {}, rest.join('.'), value)
  return { ...others, [key]: inList ? [after] : after }
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
