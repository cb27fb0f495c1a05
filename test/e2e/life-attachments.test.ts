import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, organisation, run } from './driver.ts'
import { exists, heldFiles, lettersOf, message, until } from './files.ts'

t.test('attachments from files/, from beside the message and from home/ arrive before it, hashed and unchanged', async (t) => {
  const org = await organisation(t)
  await org.up()
  const bytes = Object.fromEntries(['in-files.bin', 'beside.bin', 'mine.bin'].map((name) => [name, randomBytes(70_000)]))
  org.drop('workspaces/pmo/outbox/files/in-files.bin', bytes['in-files.bin'] ?? '')
  org.drop('workspaces/pmo/outbox/beside.bin', bytes['beside.bin'] ?? '')
  await org.as('pmo', 'mkdir -p home/work')
  org.drop('workspaces/pmo/home/work/mine.bin', bytes['mine.bin'] ?? '')
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'with files', attach: '[in-files.bin, beside.bin, work/mine.bin]' }))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  for (const [name, data] of Object.entries(bytes)) {
    const path = org.at('workspaces/legal/attachments', letter.id, name)
    t.ok(exists(path), `${name} is there when the message appears`)
    t.ok(readFileSync(path).equals(data), `${name}: the same bytes`)
    // with one user for everybody nothing on disk can be read-only for its owner: there the jail makes it so
    if (AM_ROOT) t.equal(statSync(path).uid, 0, `${name}: not the holder's own`)
    if (AM_ROOT) t.equal(statSync(path).mode & 0o022, 0, `${name}: read-only`)
    const sum = createHash('sha256').update(data).digest('hex')
    t.ok(letter.raw.includes(sum), `${name}: its hash is in the message`)
  }
  t.ok(letter.head.has('attachments'))
  await until('taken from files/', () => !exists(org.at('workspaces/pmo/outbox/files/in-files.bin')))
  t.ok(exists(org.at('workspaces/pmo/home/work/mine.bin')), 'a copy: what is in home/ stays there')
})

t.test('an attachment is waited for while it is being written', async (t) => {
  const org = await organisation(t)
  await org.up()
  const slow = run(['/bin/sh', '-c', '{ printf first; sleep 4; printf second; } > "$1"', 'sh', org.at('spool/legal/files/slow.bin')])
  await until('it begins', () => exists(org.at('spool/legal/files/slow.bin')))
  org.drop('spool/legal/task.md', message({ subject: 'slow', attach: 'slow.bin' }))
  await slow
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  t.equal(readFileSync(org.at('workspaces/legal/attachments', letter.id, 'slow.bin'), 'utf8'), 'firstsecond')
})

t.test('an attachment cannot lead out of where it may be looked for', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  const wrong = ['../../legal/home/ROLE.md', '/etc/passwd', '../task.md']
  for (const [i, path] of wrong.entries()) org.drop(`workspaces/pmo/outbox/out-${i}.md`, message({ to: 'legal', attach: JSON.stringify([path]) }))
  await until('held', () => heldFiles(org.root).length === wrong.length)
  t.same(
    lettersOf(org.root, 'legal').map((one) => one.file),
    [],
  )
})
