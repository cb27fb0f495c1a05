import t from 'tap'
import { route } from '../../src/route/index.ts'
import { configOf } from '../config/organisation.ts'

const config = configOf({
  'groups/finance.yaml': 'members: [cfo, ceo]\n',
  'groups/desk.yaml': 'members: [cfo, legal, ceo]\ndeliver: one\n',
})

function ask(addresses: readonly string[], from = 'operator', more: { load?: Record<string, number>; wrote?: readonly string[] } = {}) {
  const found = route(addresses, { config, from, load: (holder) => more.load?.[holder] ?? 0, wroteBefore: (holder) => more.wrote?.includes(holder) ?? false })
  return found.ok ? found.holders.join(' ') : found.problems.map(({ code, near }) => `${code} ${near ?? ''}`.trim()).join(', ')
}

t.test('names, groups with and without @, all and postmaster are resolved, each holder once', async (t) => {
  t.equal(ask(['cfo', '@finance', 'finance', 'cfo']), 'cfo ceo')
  t.equal(ask(['all']), 'ceo cfo legal')
  t.equal(ask(['@all'], 'cfo'), 'ceo legal', 'who writes is not among all')
  t.equal(ask(['postmaster'], 'cfo'), 'operator')
})

t.test('who writes to a group is left out of it, but may write to itself by name', async (t) => {
  t.equal(ask(['@finance'], 'cfo'), 'ceo')
  t.equal(ask(['cfo'], 'cfo'), 'cfo')
})

t.test('a work queue gives to the member with the fewest unsettled tasks', async (t) => {
  t.equal(ask(['@desk'], 'operator', { load: { cfo: 3, legal: 1, ceo: 2 } }), 'legal')
  t.equal(ask(['@desk'], 'legal', { load: { cfo: 3, ceo: 2 } }), 'ceo')
})

t.test('each member of a work queue is asked once how much it has to do', async (t) => {
  const many = Array.from({ length: 40 }, (_, index) => `m${index}`)
  const config = configOf({
    ...Object.fromEntries(many.map((name) => [`agents/${name}.md`, 'You work.\n'])),
    'groups/queue.yaml': `members: [${many.join(', ')}]\ndeliver: one\n`,
  })
  let asked = 0
  const load = (holder: string): number => {
    asked++
    return 40 - Number(holder.slice(1))
  }
  const found = route(['queue'], { config, from: 'operator', load, wroteBefore: () => false })
  t.same(found, { ok: true, holders: ['m39'] })
  t.equal(asked, many.length)
})

t.test('an agent with may_write_to reaches those, itself, and whoever wrote to it', async (t) => {
  t.equal(ask(['ceo', '@finance', 'legal'], 'legal'), 'ceo cfo legal')
  t.equal(ask(['operator'], 'legal'), 'not-permitted')
  t.equal(ask(['operator'], 'legal', { wrote: ['operator'] }), 'operator')
  t.equal(ask(['all'], 'legal'), 'ceo cfo')
})

t.test('an address that leads nowhere is named with the nearest known one, and refuses the whole', async (t) => {
  t.equal(ask(['leagl', 'cfo']), 'unknown-recipient legal')
  t.equal(ask(['@finanse']), 'unknown-recipient @finance')
  t.equal(ask(['@cfo']), 'unknown-recipient cfo', 'an agent is no group')
  t.equal(ask(['cfo@elsewhere', 'xyzzy', '__proto__', '']), 'unknown-recipient, unknown-recipient, unknown-recipient, unknown-recipient')
  const told = route(['cfo@host'], { config, from: 'ceo', load: () => 0, wroteBefore: () => false })
  t.match(told, { ok: false, problems: [{ what: /kept for later/ }] })
})
