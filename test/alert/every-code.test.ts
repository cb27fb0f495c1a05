/** Every code of the fault table is raised by a test that causes it; test/tidy/caused.ts tells what counts as that. */
import t from 'tap'
import { FAULTS } from '../../src/core/fault.ts'
import { causedIn } from '../tidy/caused.ts'
import { written } from '../tidy/tree.ts'

const sample = (text: string, path = 'test/e2e/a.test.ts') => causedIn({ path, text })

t.test('what counts as causing a fault: nothing that passes without the alert', async (t) => {
  for (const good of [
    "await until('it', () => alertOf(org.root, 'loop'))",
    "await house.until('it', () => alertOf(house.root, 'loop', id) && done())",
    "t.test('x', { skip: whyNot() }, async () => { const a = await until('it', () => alertOf(org.root, 'loop', b?.id ?? 'none')) })",
    "await until('it', () => alertsOf(org.root).find((one) => one.code === 'loop'))",
    "const T = { a: { code: 'loop', text: 'x' } }\nfor (const [file, row] of Object.entries(T)) await until('it', () => alertOf(org.root, row.code, file))",
  ])
    t.same(sample(good), ['loop'], good)
  for (const bad of [
    "// await until('it', () => alertOf(org.root, 'loop'))",
    "const a = \"await until('it', () => alertOf(org.root, 'loop'))\"",
    "until('it', () => alertOf(org.root, 'loop'))",
    "await until('it', () => !alertOf(org.root, 'loop'))",
    "await until('it', () => alertOf(org.root, 'loop') ?? other)",
    "await until('it', () => other || alertOf(org.root, 'loop'))",
    "await until('it', () => (other ? alertOf(org.root, 'loop') : true))",
    "await until('it', () => codes.find((one) => one.code === 'loop'))",
    "t.ok(alertOf(org.root, 'loop'))",
    "const T = { a: { code: 'loop' } }",
    "t.skip('x', async () => { await until('it', () => alertOf(org.root, 'loop')) })",
    "t.test('x', { skip: true }, async () => { await until('it', () => alertOf(org.root, 'loop')) })",
    "t.test('x', { todo: true }, async () => { await until('it', () => alertOf(org.root, 'loop')) })",
  ])
    t.same(sample(bad), [], bad)
  const good = "await until('it', () => alertOf(org.root, 'loop'))"
  t.same(sample(good, 'test/deadline/a.test.ts'), [], 'a room alone is not the daemon')
  t.same(sample(good, 'test/daemon/a.test.ts'), [], 'nor a part of it')
  t.same(sample(`const org = await turnedHouse(t)\n${good}`, 'test/daemon/a.test.ts'), ['loop'])
})

t.test('every code of the table is raised by a whole daemon in a test that causes it', async (t) => {
  const where = new Map<string, string[]>()
  for (const source of written()) for (const code of causedIn(source)) where.set(code, [...(where.get(code) ?? []), source.path])
  for (const code of Object.keys(FAULTS)) t.ok(where.has(code), `${code}: ${where.get(code)?.join(' ') ?? 'no test causes it'}`)
  t.same(
    [...where.keys()].filter((code) => !Object.hasOwn(FAULTS, code)),
    [],
    'and no test waits for a code that does not exist',
  )
})
