import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { lettersOf, message, sentBy, until } from './files.ts'

t.test('several recipients, groups and cc: a copy with an id and a status of its own for each, once', async (t) => {
  const org = await organisation(t, { agents: { ceo: '', cfo: '', legal: '', pmo: '' }, policies: { 'groups/finance.yaml': 'members: [cfo, legal]\n' } })
  await org.up()
  org.drop('workspaces/pmo/outbox/many.md', message({ to: '[legal, "@finance"]', cc: 'ceo', subject: 'many' }))
  const mirrors = await until('three mirrors', () => {
    const all = sentBy(org.root, 'pmo')
    return all.length === 3 && all
  })
  t.equal(new Set(mirrors.map((one) => one.id)).size, 3, 'an id for each')
  for (const name of ['legal', 'cfo', 'ceo']) {
    const letters = lettersOf(org.root, name)
    t.equal(letters.length, 1, `${name}: one copy, though named twice`)
    const letter = letters[0]
    t.equal(letter?.head.get('kind') ?? 'task', name === 'ceo' ? 'note' : 'task')
    t.match(letter?.head.get('to') ?? '', /legal[\s\S]*@finance/, `${name}: the list stays whole`)
    if (name === 'ceo') t.notOk(letter?.head.has('status'), 'a note has no status')
  }
  const mine = lettersOf(org.root, 'cfo')[0]
  await org.as('cfo', 'mv "new/$1" done/', mine?.file ?? '')
  await until('done at the cfo', () => sentBy(org.root, 'pmo').find((one) => one.id === mine?.id && one.head.get('status') === 'done'))
  t.equal(lettersOf(org.root, 'legal')[0]?.head.get('status'), 'open', 'the other copy is as it was')
  const line = await accounting(org)
  t.ok(isTrue(line), JSON.stringify(line))
  t.match(line, { drops: 1, admitted: 1, copies: 3, open: 1, settled: 1, notes: 1 })
})

t.test('a box of a group reaches its members; all reaches the agents; postmaster is the person', async (t) => {
  const org = await organisation(t, { agents: { cfo: '', legal: '', pmo: '' }, policies: { 'groups/finance.yaml': 'members: [cfo, legal]\n' } })
  await org.up()
  org.drop('spool/finance/plain.md', '# A heading\n\nplain text\n')
  for (const name of ['cfo', 'legal']) {
    const letter = await until(name, () => lettersOf(org.root, name)[0])
    t.equal(letter.head.get('subject'), 'A heading')
    t.equal(letter.body.toString(), '# A heading\n\nplain text\n', 'text alone is the body, untouched')
  }
  org.drop('workspaces/pmo/outbox/all.md', message({ to: '"@all"', subject: 'to all' }))
  for (const name of ['cfo', 'legal']) await until(`${name} hears`, () => lettersOf(org.root, name).find((one) => one.head.get('subject') === 'to all'))
  org.drop('workspaces/pmo/outbox/person.md', message({ to: 'postmaster', subject: 'to you' }))
  await until('the person', () => lettersOf(org.root, 'operator').find((one) => one.head.get('subject') === 'to you'))
})

t.test('a group that delivers to one is a work queue: the member with the fewest unsettled tasks', async (t) => {
  const org = await organisation(t, { agents: { a: '', b: '', c: '' }, policies: { 'groups/desk.yaml': 'members: [a, b, c]\ndeliver: one\n' } })
  await org.up()
  for (let i = 0; i < 9; i++) {
    org.drop('spool/desk/job.md', message({ subject: `job ${i}` }))
    await until(`job ${i}`, () => ['a', 'b', 'c'].flatMap((name) => lettersOf(org.root, name)).length === i + 1)
  }
  t.same(
    ['a', 'b', 'c'].map((name) => lettersOf(org.root, name).length),
    [3, 3, 3],
  )
})
