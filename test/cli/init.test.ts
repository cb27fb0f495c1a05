import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import t from 'tap'
import { penny } from './called.ts'

t.test('two at once on one folder: one makes the organisation, the other is told that it is there', async (t) => {
  const root = `${t.testdir()}/acme`
  const ended = await Promise.all([penny(['init', root]), penny(['init', root, '--example', 'thirty'])])
  t.same(
    ended.map(({ status }) => status).toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    [0, 73],
  )
  const agents = readdirSync(`${root}/policies/agents`).length
  t.ok(agents === 3 || agents === 30, 'and it is one of the two, not a mixture')
  t.same(readdirSync(`${root}/.penny`), [], 'no lock is left')
})

t.test('a folder with a file in it, or with a daemon of its own, is left alone', async (t) => {
  const folder = t.testdir({ full: { 'a.txt': 'text' }, old: { '.penny': { journal: {} } }, empty: {} })
  for (const name of ['full', 'old']) t.equal((await penny(['init', `${folder}/${name}`])).status, 73)
  t.notOk(existsSync(`${folder}/full/.penny`))
  t.equal((await penny(['init', `${folder}/empty`])).status, 0)
})

t.test('while another command edits the policies it waits, then says so', { timeout: 30_000 }, async (t) => {
  const root = `${t.testdir()}/acme`
  mkdirSync(`${root}/.penny/policies.lock`, { recursive: true })
  const { status, err } = await penny(['init', root])
  t.equal(status, 75)
  t.match(err, 'policies.lock')
})
