import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
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

t.test('one within another organisation is told of; one in its folders is refused, with a place beside it', async (t) => {
  const outer = `${t.testdir()}/outer`
  t.equal((await penny(['init', outer])).status, 0)
  const inner = await penny(['init', `${outer}/inner`])
  t.equal(inner.status, 0)
  t.match(inner.err, `It lies within another organisation, ${outer}: `)
  for (const folder of ['policies', 'spool', 'workspaces', '.penny', 'workspaces/pmo/home']) {
    const { status, err } = await penny(['init', `${outer}/${folder}/deep`])
    t.equal(status, 73, folder)
    t.match(err, `of another organisation, ${outer}\n`)
    t.match(err, `fix: penny init ${dirname(outer)}/deep\n`)
    t.notOk(existsSync(`${outer}/${folder}/deep`))
  }
})
