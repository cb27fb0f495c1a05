import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, exists, lettersOf, message, until } from './files.ts'

t.test('what is not claimed, not finished or past its date is pointed out within 60 s, once, to the holder and in one alert per agent', async (t) => {
  const scheme =
    'urgent: { claim_within: 3s, finish_within: 1h }\nhigh: { claim_within: 1h, finish_within: 3s }\nnormal: { claim_within: 4h, finish_within: 3d }\n'
  const org = await organisation(t, { agents: { legal: '', pmo: '', cfo: '' }, policies: { 'priorities.yaml': scheme } })
  await org.up()
  for (const n of [1, 2]) org.drop(`spool/legal/u-${n}.md`, message({ subject: `unclaimed ${n}`, priority: 'urgent' }))
  org.drop('spool/pmo/h.md', message({ subject: 'unfinished', priority: 'high' }))
  org.drop('spool/cfo/d.md', message({ subject: 'due', due: new Date(Date.now() + 4000).toISOString() }))
  await until('all', () => lettersOf(org.root, 'legal').length === 2 && lettersOf(org.root, 'pmo').length === 1 && lettersOf(org.root, 'cfo').length === 1)
  const unclaimed = lettersOf(org.root, 'legal').map((one) => one.id)
  const unfinished = lettersOf(org.root, 'pmo')[0]
  await org.as('pmo', 'mv "new/$1" cur/', unfinished?.file ?? '')
  // the dates pass some 4 s from here, then 60 s of the promise; + 5 s for a loaded machine
  const stuck = await until('stuck-new', () => unclaimed.every((id) => alertOf(org.root, 'stuck-new', id)) && alertOf(org.root, 'stuck-new'), 69_000)
  t.equal(stuck.head.get('agent'), 'legal')
  await until('stuck-cur', () => alertOf(org.root, 'stuck-cur', unfinished?.id), 69_000)
  await until('overdue', () => alertOf(org.root, 'overdue', lettersOf(org.root, 'cfo')[0]?.id ?? 'none'), 69_000)
  await until('the holder is told of each', () => unclaimed.every((id) => lettersOf(org.root, 'legal').some((one) => one.id !== id && one.raw.includes(id))))
  for (const file of lettersOf(org.root, 'legal').filter((one) => unclaimed.includes(one.id))) await org.as('legal', 'mv "new/$1" done/', file.file)
  await until('the alert goes with its cause', () => !alertOf(org.root, 'stuck-new'), 65_000)
  t.ok(exists(org.at('.penny/canary')), 'the canary has its place')
})
