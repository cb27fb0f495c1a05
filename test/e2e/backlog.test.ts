import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, filesIn, lettersIn, lettersOf, message, until } from './files.ts'

t.test('what exceeds the backlog stays in the drop folder with an alert, and is worked off in turn', async (t) => {
  const org = await organisation(t, { org: 'limits: { backlog: 10 }\n' })
  await org.up()
  for (let n = 0; n < 25; n++) org.drop(`spool/legal/m-${n}.md`, message({ subject: `n${n}` }))
  await until('workspace-full', () => alertOf(org.root, 'workspace-full', 'legal'))
  await until('ten', () => lettersOf(org.root, 'legal').length === 10)
  t.equal(filesIn(org.at('spool/legal')).length, 15, 'the others wait where they were dropped')
  org.drop('spool/pmo/other.md', message({ subject: 'other' }))
  await until('the mail of others goes on', () => lettersOf(org.root, 'pmo')[0])
  for (let round = 0; round < 3; round++) {
    await org.as('legal', 'mv new/* done/')
    await until(
      'the next ones',
      () =>
        lettersIn(org.at('workspaces/legal/new')).length === Math.min(10, 25 - 10 * (round + 1)) ||
        (round === 2 && filesIn(org.at('spool/legal')).length === 0),
    )
  }
  const subjects = lettersOf(org.root, 'legal').map((one) => one.head.get('subject'))
  t.equal(new Set(subjects).size, 25)
  t.equal(subjects.length, 25)
  await until('the alert closes', () => !alertOf(org.root, 'workspace-full'))
})

t.test('a full mailbox whose limit is raised is told of no longer, though it holds as many as it may', async (t) => {
  const org = await organisation(t, { org: 'limits: { backlog: 1 }\n' })
  await org.up()
  for (const n of [1, 2]) org.drop(`spool/legal/m-${n}.md`, message({ subject: `n${n}` }))
  await until('workspace-full', () => alertOf(org.root, 'workspace-full', 'legal'))
  const file = org.at('policies/org.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace('backlog: 1', 'backlog: 2'))
  await until('both', () => lettersIn(org.at('workspaces/legal/new')).length === 2)
  await until('the alert closes', () => !alertOf(org.root, 'workspace-full'))
})

t.test('a full mailbox of before a restart, for which nothing waits any more, is told of no longer', async (t) => {
  const org = await organisation(t, { org: 'limits: { backlog: 1 }\n' })
  await org.up()
  for (const n of [1, 2]) org.drop(`spool/legal/m-${n}.md`, message({ subject: `n${n}` }))
  await until('workspace-full', () => alertOf(org.root, 'workspace-full', 'legal'))
  await org.end()
  for (const file of filesIn(org.at('spool/legal'))) rmSync(org.at('spool/legal', file))
  await org.up()
  await until('the alert closes', () => !alertOf(org.root, 'workspace-full'))
})
