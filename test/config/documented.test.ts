import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import type { Config } from '../../src/core/config.ts'
import { configOf } from './organisation.ts'
import { KINDS, keysOf, put, type Row, rowsOf, type Values, wrongIn } from './tables.ts'

const page = readFileSync('docs/policies.md', 'utf8')

/** What one of the two, table and program, knows alone. */
function differences(heading: string, rows: readonly Row[]): string[] {
  const { leaves, parents } = keysOf(heading)
  const told = rows.map(({ key }) => key)
  return [
    ...leaves.filter((key) => !told.includes(key)).map((key) => `${heading}: ${key} is missing in the table`),
    ...told.filter((key) => !leaves.includes(key) && !parents.includes(key)).map((key) => `${heading}: the program knows no ${key}`),
    ...told.filter((key, i) => told.indexOf(key) !== i).map((key) => `${heading}: ${key} stands there twice`),
  ]
}

function meaning(heading: string, values: Values): Omit<Config, 'digest'> {
  const kind = KINDS[heading]
  if (!kind) throw new Error(`no kind of file is called ${heading}`)
  const { digest: _, ...rest } = configOf({ [kind.file]: kind.write({ ...kind.needs, ...values }) })
  return rest
}

t.test('the program tells its keys, also those inside of others', async (t) => {
  t.has(keysOf('org.yaml'), { leaves: ['name', 'postmaster'], parents: ['uids'] })
  for (const key of ['wake.stagger', 'x-…']) t.ok(keysOf('org.yaml').leaves.includes(key), key)
  for (const key of ['runner.timeout', 'mounts[].mode', 'budget.usd_per_day']) t.ok(keysOf('agents/NAME.md').leaves.includes(key), key)
  t.same(keysOf('priorities.yaml').leaves, ['<priority>.claim_within', '<priority>.finish_within', 'aliases'])
})

t.test('docs/policies.md has every key of every file, and no other', async (t) => {
  const [, ...fewer] = rowsOf(page, 'people/NAME.md')
  t.same(differences('people/NAME.md', fewer), ['people/NAME.md: name is missing in the table'])
  t.same(
    differences('people/NAME.md', rowsOf(page.replace('| `manager` | an agent or person | the postmaster | as', '| `boss` | x | x | x'), 'people/NAME.md')),
    ['people/NAME.md: manager is missing in the table', 'people/NAME.md: the program knows no boss'],
  )
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
  t.same(headings, Object.keys(KINDS), 'each kind of file has its table')
  for (const heading of Object.keys(KINDS)) t.same(differences(heading, rowsOf(page, heading)), [], heading)
})

/** What a row says that isn't so. */
function untrue(heading: string, { key, byDefault, isExact, example }: Row): string[] {
  const shown: Values = parse(example)
  const path = key === 'x-…' ? (Object.keys(shown)[0] ?? '') : key
  const without = put({ ...KINDS[heading]?.needs, ...shown }, path, undefined)
  if (isDeepStrictEqual(without, { ...KINDS[heading]?.needs, ...shown })) return [`the example of ${key} does not show it`]
  const wrong = wrongIn(heading, shown).map((line) => `the example of ${key} is refused: ${line}`)
  if (isMissing(heading, without) !== (byDefault === 'needed')) wrong.push(`${key} is ${byDefault === 'needed' ? 'not ' : ''}needed`)
  const same = (): boolean => isDeepStrictEqual(meaning(heading, put(shown, path, parse(byDefault))), meaning(heading, put(shown, path, undefined)))
  return isExact && !same() ? [...wrong, `${key} has another default than ${byDefault}`] : wrong
}

t.test('what docs/policies.md says of a key is so: its example, its default, whether it is needed', async (t) => {
  const row = { key: 'wake.concurrency', byDefault: '8', isExact: true, example: 'wake: { concurrency: 4 }' }
  t.same(untrue('org.yaml', row), [])
  t.same(untrue('org.yaml', { ...row, byDefault: '9' }), ['wake.concurrency has another default than 9'])
  t.same(untrue('org.yaml', { ...row, byDefault: 'needed', isExact: false }), ['wake.concurrency is not needed'])
  t.same(untrue('org.yaml', { ...row, example: 'wake: { stagger: 0s }' }), ['the example of wake.concurrency does not show it'])
  t.match(untrue('org.yaml', { ...row, example: 'wake: { concurrency: 0 }' }), [/refused: .* a whole number from 1 to 1000 is needed/])
  t.same(untrue('groups/NAME.yaml', { key: 'members', byDefault: 'none', isExact: false, example: 'members: [cfo]' }), ['members is needed'])
  for (const heading of Object.keys(KINDS))
    t.same(
      rowsOf(page, heading).flatMap((one) => untrue(heading, one)),
      [],
      heading,
    )
})

/** Whether a file with just these values is refused for what it lacks. */
function isMissing(heading: string, values: Values): boolean {
  const kind = KINDS[heading]
  if (!kind) throw new Error(`no kind of file is called ${heading}`)
  try {
    configOf({ [kind.file]: kind.write(values) })
    return false
  } catch (cause) {
    return cause instanceof Error && cause.message.includes('is missing, and needed')
  }
}

t.test('what README.md shows of an agent’s file is as it says', async (t) => {
  const [, shown = ''] = /agents\/writer\.md`:\n\n```yaml\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? []
  const { agents } = configOf({ 'agents/writer.md': `---\n${shown}---\nYou write.\n` })
  t.match(
    [...agents.values()].find(({ name }) => name === 'writer'),
    {
      jailed: true,
      network: 'none',
      mounts: [
        { from: '/srv/code', at: '/code', mode: 'ro' },
        { from: '/srv/drafts', at: '/drafts', mode: 'rw' },
      ],
    },
  )
})
