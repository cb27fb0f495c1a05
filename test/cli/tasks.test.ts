import { writeFileSync } from 'node:fs'
import t from 'tap'
import { deliver, idOf, objects, organisation, penny } from './called.ts'

const DAY_MS = 86_400_000

function filled(t: Parameters<typeof organisation>[0]): string {
  const root = organisation(t)
  deliver(root, {
    id: idOf('aaaa1111', 2),
    holder: 'legal',
    folder: 'new',
    priority: 'urgent',
    rank: 1,
    head: { subject: '"Urgent: one"', due: '2026-01-01T00:00:00+00:00' },
  })
  deliver(root, { id: idOf('aaaa2222', 1), holder: 'legal', folder: 'cur', head: { status: 'blocked', from: 'operator', thread: idOf('aaaa1111', 2) } })
  deliver(root, { id: idOf('bbbb3333', 3), holder: 'pmo', folder: 'new', priority: 'urgent', rank: 1, head: { kind: 'note', status: '' } })
  deliver(root, { id: idOf('bbbb4444', 4), holder: 'pmo', folder: 'done', head: { status: 'failed' } })
  deliver(root, { id: idOf('bbbb5555', 5), holder: 'pmo', folder: 'done/2026-10', head: { status: 'done' } })
  return root
}

t.test('tasks lists what is not settled, most urgent first, without notes', async (t) => {
  const root = filled(t)
  const rows = objects((await penny(['tasks', '--json', '--root', root])).out)
  t.match(rows, [
    { schema: 'penny/tasks/1', id: idOf('aaaa1111', 2), holder: 'legal', status: 'open', priority: 'urgent', subject: 'Urgent: one' },
    { id: idOf('aaaa2222', 1), status: 'blocked' },
  ])
  t.equal(rows.length, 2)
})

t.test('filters look at status, priority, holder, sender, date, age and thread', async (t) => {
  const root = filled(t)
  const endings = async (...filters: string[]): Promise<string[]> =>
    objects((await penny(['tasks', ...filters, '--json', '--root', root])).out).map(({ id }) => String(id).slice(-8))
  t.same(await endings('status:open'), ['aaaa1111'])
  t.same(await endings('status:open,blocked', 'to:legal'), ['aaaa1111', 'aaaa2222'])
  t.same(await endings('status:done,failed'), ['bbbb4444', 'bbbb5555'], 'also in past months')
  t.same(await endings('priority:urgent'), ['aaaa1111'])
  t.same(await endings('from:operator'), ['aaaa2222'])
  t.same(await endings('overdue'), ['aaaa1111'])
  t.same(await endings('thread:aaaa1111'), ['aaaa1111', 'aaaa2222'])
  t.same(await endings(`older:${Math.ceil(Date.now() / DAY_MS)}d`), [])
  for (const wrong of ['stauts:open', 'status:opne', 'older:soon', 'status:']) {
    const { status, err } = await penny(['tasks', wrong, '--root', root])
    t.equal(status, 64, wrong)
    t.match(err, /fix: penny tasks/)
  }
})

t.test('ids may be shortened to a unique ending of four; what is not one message says so', async (t) => {
  const root = filled(t)
  t.match((await penny(['show', '2222', '--root', root])).out, new RegExp(`id +${idOf('aaaa2222', 1)}`))
  t.equal((await penny(['show', '222', '--root', root])).status, 64)
  t.equal((await penny(['show', '99999', '--root', root])).status, 66)
  deliver(root, { id: idOf('cccc2222', 9), holder: 'pmo', folder: 'new' })
  const both = await penny(['show', '2222', '--root', root])
  t.equal(both.status, 64)
  t.match(both.err, idOf('aaaa2222', 1))
})

t.test('control characters of a message are shown, not sent to the terminal', async (t) => {
  const root = organisation(t)
  deliver(root, { id: idOf('dddd1111'), holder: 'legal', folder: 'new', head: { subject: '"\\e[2J red \\u202e"' }, body: 'clear \u001b[2J the screen\r\n' })
  for (const args of [['tasks'], ['show', 'dddd1111']]) {
    const { out, status } = await penny([...args, '--root', root])
    t.equal(status, 0)
    for (const raw of ['\u001b', '\u202e', '\r']) t.notOk(out.includes(raw))
    t.match(out, '\\x1b[2J')
  }
})

t.test('front matter that does not parse hides no message', async (t) => {
  const root = organisation(t)
  const path = deliver(root, { id: idOf('eeee1111'), holder: 'legal', folder: 'cur' })
  writeFileSync(path, '---\nstatus: in_progress\nresult: Done: see x\n---\nbody\n')
  t.match(objects((await penny(['tasks', '--json', '--root', root])).out), [{ id: idOf('eeee1111'), status: 'in_progress', holder: 'legal' }])
})

t.test('a filter that nothing can match is refused with the nearest that could', async (t) => {
  const root = organisation(t)
  for (const [word, fix] of [
    ['to:legl', 'penny tasks to:legal'],
    ['priority:hgh', 'penny tasks priority:high'],
    ['overdue:yes', 'penny tasks overdue'],
  ] as const) {
    const { status, err } = await penny(['tasks', word], { cwd: root })
    t.equal(status, 64, word)
    t.match(err, `fix: ${fix}\n`)
  }
  t.equal((await penny(['tasks', 'to:legal', '--root', root])).status, 0, 'an empty mailbox is no mistake')
})

t.test('a key that somebody made up puts nothing on the terminal but itself', async (t) => {
  const root = organisation(t)
  deliver(root, { id: idOf('aaaa1111', 1), holder: 'legal', folder: 'new', head: { '"x-\\e[2J\\nvia          person\\e]0;pwned\\a"': 'y' } })
  const { out } = await penny(['show', '1111', '--root', root])
  t.match(out, /x-/)
  for (const raw of ['\u001b[2J', '\u001b]', '\u0007', '\nvia          person']) t.notOk(out.includes(raw), JSON.stringify(raw))
})
