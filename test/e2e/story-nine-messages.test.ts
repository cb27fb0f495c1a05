import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertOf, alertsOf, lettersOf, message, until } from './files.ts'

/** The nine of the story: five P1, four urgent. */
const NINE = [
  'review-operator-agreement-P1.md',
  'wire-approval-P1.md',
  'outage-status-P1.md',
  'contract-redline-P1.md',
  'board-deck-P1.md',
  'press-inquiry-urgent.md',
  'customer-refund-urgent.md',
  'key-rotation-urgent.md',
  'payroll-exception-urgent.md',
]
const wordOf = (name: string): string => (name.includes('-P1') ? 'P1' : 'urgent')

t.test('the nine messages cannot lie unseen: within 2 s each is delivered or alerted, wherever dropped, with and without a priority', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  let delivered = 0
  for (const place of ['spool', 'spool/legal', 'workspaces/pmo/outbox']) {
    const to: Record<string, string> = place === 'spool/legal' ? {} : { to: 'legal' }
    const drops = NINE.flatMap((name) => {
      const plain = `plain-${name}`
      const marked = `marked-${name}`
      return [
        { name: plain, priority: undefined, ...org.drop(`${place}/${plain}`, message({ ...to, subject: `${place} ${plain}` })) },
        { name: marked, priority: 'urgent', ...org.drop(`${place}/${marked}`, message({ ...to, subject: `${place} ${marked}`, priority: 'urgent' })) },
      ]
    })
    for (const drop of drops) {
      const letter = await until(drop.name, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === `${place} ${drop.name}`))
      delivered++
      t.equal(letter.priority, drop.priority ?? 'normal', `${drop.name}: delivered as its front matter says`)
      t.equal(letter.head.get('priority') ?? 'normal', drop.priority ?? 'normal')
      // 'urgent' in the name and in the front matter agree; every other pair does not
      if (drop.priority !== wordOf(drop.name)) {
        const alert = await until(`priority-in-name for ${drop.name}`, () => alertOf(org.root, 'priority-in-name', drop.name))
        t.match(alert.text, /penny set [0-9a-f-]{4,} priority=/, `${drop.name}: the alert gives the command that corrects it`)
      }
    }
    // 2 s for all eighteen, + 1 s for a loaded machine
    const last = drops.at(-1)
    t.ok(last && performance.now() - last.at < 3000, `${place}: all within 2 s`)
    t.equal(alertsOf(org.root).length, 9 + 5, `${place}: one alert for each name that says something else, none for the four that agree`)
    await org.penny(['alerts', 'done', 'all'])
    await until('closed alerts', () => alertsOf(org.root).length === 0)
  }
  const line = await accounting(org)
  t.ok(isTrue(line) && line.copies === delivered && line.held === 0, JSON.stringify(line))
})

t.test('in the root of the spool without `to:`, as text alone, or with the foreign word as priority, they are held and alerted', async (t) => {
  const org = await organisation(t)
  await org.up()
  const wrong = [
    ...NINE.slice(0, 3).map((name) => ({ code: 'unknown-recipient', name: `no-to-${name}`, text: message({ subject: 'x' }) })),
    ...NINE.slice(5, 8).map((name) => ({ code: 'unknown-recipient', name: `bare-${name}`, text: 'Please look at once.\n' })),
    ...NINE.slice(0, 5).map((name) => ({ code: 'unknown-priority', name: `p1-${name}`, text: message({ to: 'legal', priority: 'P1' }) })),
  ]
  const drops = wrong.map((one) => ({ ...one, ...org.drop(`spool/${one.name}`, one.text) }))
  for (const drop of drops) {
    const alert = await until(`${drop.code} for ${drop.name}`, () => alertOf(org.root, drop.code, drop.name))
    t.ok(performance.now() - drop.at < 3000, `${drop.name}: within 2 s (+ 1 s for a loaded machine)`)
    if (drop.code === 'unknown-priority') t.match(alert.text, /urgent.*high.*normal.*low/s, 'the known priorities are listed')
  }
  t.same(
    lettersOf(org.root, 'legal').map((letter) => letter.file),
    [],
  )
})

t.test('an operator may map the foreign words at the door; inside only the names of the scheme exist', async (t) => {
  const priorities = 'urgent: { claim_within: 5m, finish_within: 1h }\nnormal: { claim_within: 4h, finish_within: 3d }\naliases: { P1: urgent }\n'
  const org = await organisation(t, { policies: { 'priorities.yaml': priorities } })
  await org.up()
  org.drop('spool/one-P1.md', message({ to: 'legal', priority: 'P1' }))
  const letter = await until('it', () => lettersOf(org.root, 'legal')[0])
  t.match(letter.file, /^1-urgent\./)
  t.equal(letter.head.get('priority'), 'urgent')
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'the name says that very word',
  )
})
