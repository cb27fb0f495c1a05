import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, lettersOf, message, until } from './files.ts'

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
