import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, alertsOf, heldFiles, lettersOf, message, pause, until } from './files.ts'

t.test('a thread that passes 16 hops is held', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  let before = ''
  let hops = 0
  for (; hops < 24; hops++) {
    const [from, to] = hops % 2 ? ['legal', 'pmo'] : ['pmo', 'legal']
    const reply: Record<string, string> = before ? { in_reply_to: before } : {}
    org.drop(`workspaces/${from}/outbox/hop-${hops}.md`, message({ to: to ?? '', subject: `hop ${hops}`, ...reply }))
    const seen = await until(
      `hop ${hops}`,
      () => alertOf(org.root, 'loop') ?? lettersOf(org.root, to ?? '').find((one) => one.head.get('subject') === `hop ${hops}`),
    )
    if ('code' in seen) break
    if (hops > 0) t.equal(seen.head.get('thread'), lettersOf(org.root, 'legal')[0]?.head.get('thread'), 'one thread')
    before = seen.id
  }
  // the sixteenth hop may be the last that passes or the first that doesn't, depending on whether the first message is a hop
  t.ok(hops >= 15 && hops <= 17, `held at message ${hops + 1}`)
})

t.test('a thread of more than 50 messages in an hour is held', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  org.drop('workspaces/pmo/outbox/first.md', message({ to: 'legal', subject: 'first' }))
  const first = await until('first', () => lettersOf(org.root, 'legal')[0])
  // a burst: those under way at the same time count too
  for (let i = 0; i < 60; i++) org.drop(`workspaces/pmo/outbox/more-${i}.md`, message({ to: 'legal', subject: `more ${i}`, in_reply_to: first.id }))
  await until('loop', () => alertOf(org.root, 'loop'))
  const delivered = lettersOf(org.root, 'legal').length
  t.ok(delivered <= 51, `${delivered} were delivered`)
  await until('the fifty', () => lettersOf(org.root, 'legal').length >= 50)
})

/** Sends something new, unconnected with what it was woken for. */
const writes = (to: string): string =>
  `#!/bin/sh\nprintf -- '---\\nto: %s\\nsubject: new\\n---\\nand again\\n' ${to} > "../outbox/.$PENNY_ID" && mv "../outbox/.$PENNY_ID" "../outbox/$PENNY_ID.md"\n`
const wake = 'wake: { concurrency: 8, stagger: 0s }\n'

t.test('two agents that write each other new tasks for ever are held after 16 hops', async (t) => {
  const org = await organisation(t, {
    org: wake,
    agents: { legal: 'runner: { command: [./legal.sh] }\n', pmo: 'runner: { command: [./pmo.sh] }\n' },
    policies: { 'runners/legal.sh': writes('pmo'), 'runners/pmo.sh': writes('legal') },
  })
  await org.up()
  org.drop('spool/legal/start.md', message({ subject: 'start' }))
  await until('loop', () => alertOf(org.root, 'loop'), 60_000)
  await until('every task is done', () => ['legal', 'pmo'].every((name) => lettersOf(org.root, name).every((one) => one.head.get('status') !== 'in_progress')))
  await pause(2_000)
  const tasks = [...lettersOf(org.root, 'legal'), ...lettersOf(org.root, 'pmo')].filter((one) => one.head.get('kind') === 'task')
  t.equal(tasks.length, 17, 'the first and sixteen hops')
  t.equal(new Set(tasks.map((one) => one.head.get('thread'))).size, 17, 'each is a thread of its own')
  const held = heldFiles(org.root)
  t.same(
    held.map(({ code }) => code),
    ['loop'],
  )
  t.match(held[0]?.why, /a chain of 16 messages/)
  await pause(5_000)
  t.equal((await org.penny(['release', held[0]?.id ?? ''])).status, 0)
  await until('released, it begins a chain of its own', () => lettersOf(org.root, 'legal').length + lettersOf(org.root, 'pmo').length > 20, 60_000)
})

t.test('an agent that is woken by each bounce to misaddress again comes to an end', async (t) => {
  const org = await organisation(t, {
    org: wake,
    agents: { legal: 'runner: { command: [./legal.sh], notes: true }\n', pmo: '' },
    policies: { 'runners/legal.sh': writes('nobody-here') },
  })
  await org.up()
  org.drop('spool/legal/start.md', message({ subject: 'start' }))
  await until('the last is called a loop', () => heldFiles(org.root).some(({ code }) => code === 'loop'), 60_000)
  const bounce = await until('its bounce waits to be read', () =>
    lettersOf(org.root, 'legal').find((one) => one.folder === 'new' && one.head.get('kind') === 'bounce' && one.body.includes('[loop]')),
  )
  await pause(2_500)
  t.equal(lettersOf(org.root, 'legal').find(({ id }) => id === bounce.id)?.folder, 'new', 'it wakes nobody')
  t.equal(heldFiles(org.root).length, 17)
  t.ok(heldFiles(org.root).every(({ why }) => why?.includes('nobody-here')))
})

t.test('a run may send to many', async (t) => {
  const fan =
    '#!/bin/sh\nfor i in $(seq 40); do printf -- "---\\nto: pmo\\nsubject: part $i\\n---\\nx\\n" > ../outbox/.$i; mv ../outbox/.$i ../outbox/$i.md; done\n'
  const org = await organisation(t, {
    org: wake,
    agents: { legal: 'runner: { command: [./legal.sh] }\n', pmo: '' },
    policies: { 'runners/legal.sh': fan },
  })
  await org.up()
  org.drop('spool/legal/start.md', message({ subject: 'start' }))
  await until('all forty', () => lettersOf(org.root, 'pmo').length === 40)
  t.same(
    alertsOf(org.root).map(({ code }) => code),
    [],
  )
})

t.test('one who floods a thread is held, and what the other writes in it comes through', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  org.drop('workspaces/legal/outbox/first.md', message({ to: '[pmo, eve]', subject: 'first', ref: 'first' }))
  const [mine, theirs] = await until('first', () => {
    const both = [lettersOf(org.root, 'pmo')[0], lettersOf(org.root, 'eve')[0]]
    return both[0] && both[1] ? [both[0], both[1]] : undefined
  })
  for (let i = 0; i < 55; i++) org.drop(`workspaces/eve/outbox/flood-${i}.md`, message({ to: 'legal', subject: `flood ${i}`, in_reply_to: theirs?.id ?? '' }))
  await until('loop', () => alertOf(org.root, 'loop'))
  await until('all are through or held', () => lettersOf(org.root, 'legal').length + heldFiles(org.root).length >= 55)
  org.drop('workspaces/pmo/outbox/result.md', message({ to: 'legal', subject: 'the result', in_reply_to: mine?.id ?? '', settles: 'done' }))
  await until('the result', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'the result'), 2_000)
  t.notOk(heldFiles(org.root).some(({ slug }) => slug === 'result'))
})
