import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, until } from '../e2e/files.ts'
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

tap.test(
  'twenty thousand folders with odd names in the spool stop nobody: a good message comes through, and the alert names their owner',
  asAgents,
  async (t) => {
    const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
    await org.up()
    await org.as('eve', `'${process.execPath}' -e 'for (let i = 0; i < 20000; i++) require("fs").mkdirSync("../../spool/o\\u0001" + i)'`)
    for (let i = 0; i < 5; i++) {
      org.drop(`workspaces/pmo/outbox/good-${i}.md`, message({ to: 'legal', subject: `good ${i}` }))
      await until(`good ${i}`, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === `good ${i}`), 5_000)
    }
    const told = await until('it is told', () => alertOf(org.root, 'unmatched-file', 'spool/ (more folders)'), 15_000)
    t.equal(told.head.get('agent'), 'eve')
    t.ok(org.running())
  },
)

tap.test('six hundred messages of one sender, each with half a gigabyte of holes, stop nobody else, with attachments or without', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  const heads = '---\\nto: eve\\nkind: note\\nattach: [f1.bin,f2.bin,f3.bin,f4.bin,f5.bin,f6.bin,f7.bin,f8.bin]\\n---\\n'
  await org.as(
    'eve',
    `cd home; truncate -s 64M f1.bin f2.bin f3.bin f4.bin f5.bin f6.bin f7.bin f8.bin; for i in $(seq 600); do printf -- '${heads}' > m$i.md; done; mv m*.md ../outbox/`,
  )
  for (let i = 0; i < 6; i++) {
    const hasFile = i % 2 === 0
    if (hasFile) org.drop(`workspaces/pmo/outbox/files/report-${i}.txt`, 'the report')
    org.drop(`workspaces/pmo/outbox/good-${i}.md`, message({ to: 'legal', subject: `good ${i}`, ...(hasFile ? { attach: `report-${i}.txt` } : {}) }))
    await until(`good ${i}`, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === `good ${i}`), 5_000)
  }
  const ended = await org.end('SIGTERM')
  t.equal(ended.status, 0)
  // 2 s; + 1 s for a loaded machine
  t.ok(ended.ms < 3_000, `ended after ${Math.round(ended.ms)} ms`)
})
