import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { byService, makeLedger } from '../../src/mailbox/index.ts'
import { task } from '../deadline/office.ts'

t.test('mail is found by id, by holder, by the end of its id', async (t) => {
  const ledger = makeLedger()
  const [a, b] = [task({}), task({ holder: 'cfo' as Name })]
  for (const mail of [a, b]) ledger.add(mail)
  t.equal(ledger.get(a.id), a)
  t.same([...ledger.of('cfo' as Name).keys()], [b.id])
  t.equal(ledger.count('legal' as Name), 1)
  t.same(ledger.endingWith(a.id.slice(-12), 10), [a.id])
  ledger.remove(a.id)
  ledger.remove(a.id)
  t.equal(ledger.size(), 1)
  t.equal(ledger.count('legal' as Name), 0)
})

t.test('unsettled tasks of a holder are counted, notes are not, and nothing twice', async (t) => {
  const ledger = makeLedger()
  const legal = 'legal' as Name
  const [a, b, note] = [task({}), task({}), task({ kind: 'note', status: null })]
  for (const mail of [a, b, note, b]) ledger.add(mail)
  t.equal(ledger.tasks(legal), 2)
  t.equal(ledger.tasks('cfo' as Name), 0)
  ledger.remove(a.id)
  ledger.remove(a.id)
  ledger.remove(note.id)
  t.equal(ledger.tasks(legal), 1)
  ledger.add({ ...b, kind: 'note', status: null })
  t.equal(ledger.tasks(legal), 0)
})

t.test('the order of service is urgency, then age', async (t) => {
  const [low, normal, urgent, later] = [task({ rank: 4 }), task({ rank: 3 }), task({ rank: 1 }), task({ rank: 1 })]
  t.same([low, later, normal, urgent].sort(byService), [urgent, later, normal, low])
})
