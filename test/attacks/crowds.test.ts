import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, until } from '../e2e/files.ts'
import { asAgents } from './hostile.ts'

tap.test('sixty odd files of one in the spool do not hide the one of another: each is counted by its owner', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  await org.as('eve', 'for i in $(seq 60); do echo x > "../../spool/junk-$i"; done')
  const crowd = await until('the crowd is told', () => alertOf(org.root, 'unmatched-file', 'many') ?? alertOf(org.root, 'unmatched-file', 'junk'))
  t.equal(crowd.head.get('agent'), 'eve')
  org.drop('spool/report.pdf', 'of the operator')
  org.drop('spool/notes.txt', 'of legal', org.owner('legal'))
  const mine = await until('mine has a file of its own', () => alertOf(org.root, 'unmatched-file', 'report.pdf'), 15_000)
  t.match(Object.fromEntries(mine.head), { about: 'spool/report.pdf', agent: 'operator' })
  t.equal((await until('and that of legal', () => alertOf(org.root, 'unmatched-file', 'notes.txt'))).head.get('agent'), 'legal')
})

tap.test('a file in new/ whose name is not UTF-8 is told of, and no longer once it is gone', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  await org.as('eve', `echo x > "new/stray-$(printf '\\377')"`)
  const told = await until('it is told', () => alertOf(org.root, 'unmatched-file', 'stray-'), 15_000)
  t.match(told.head.get('fix'), /^find workspaces\/eve\/new -maxdepth 1 -inum \d+ /)
  await org.as('eve', 'rm new/stray-*')
  await until('it is over', () => !alertOf(org.root, 'unmatched-file', 'stray-'))
  t.ok(org.running())
})
