import { linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, organisation } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, pause, until } from '../e2e/files.ts'

const system = { skip: AM_ROOT ? false : 'needs uid 0: an agent that is not the operator' }

tap.test('what an agent plants in its outbox leads nowhere: links to secrets, pipes, files of another', system, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  const secret = `${org.base}/secret.md`
  writeFileSync(secret, message({ to: 'pmo', subject: 'secret' }), { mode: 0o600 })
  const cases = {
    'link.md': () => org.as('pmo', 'ln -s ../../../../secret.md outbox/link.md'),
    'passwd.md': () => org.as('pmo', 'ln -s /etc/passwd outbox/passwd.md'),
    'fifo.md': () => org.as('pmo', 'mkfifo outbox/fifo.md'),
    'hard.md': async () => linkSync(secret, org.at('workspaces/pmo/outbox/hard.md')),
    'foreign.md': async () => symlinkSync('/proc/self/environ', org.at('workspaces/pmo/outbox/foreign.md')),
  }
  for (const [name, plant] of Object.entries(cases)) {
    await plant()
    await until(`an alert for ${name}`, () => alertOf(org.root, 'unsafe-file', name))
  }
  await org.as('pmo', `printf -- '---\\nto: legal\\nsubject: stolen\\nattach: [../../../../secret.md]\\n---\\nx' > outbox/.a; mv outbox/.a outbox/a.md`)
  await org.as(
    'pmo',
    `ln -s /etc/shadow home/mine; printf -- '---\\nto: legal\\nsubject: linked\\nattach: [mine]\\n---\\nx' > outbox/.b; mv outbox/.b outbox/b.md`,
  )
  org.drop('workspaces/legal/outbox/good.md', message({ to: 'pmo', subject: 'good' }))
  await until('good mail', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === 'good'))
  await pause(12_000)
  t.notOk(
    [...lettersOf(org.root, 'pmo'), ...lettersOf(org.root, 'legal')].some((one) => ['secret', 'stolen', 'linked'].includes(one.head.get('subject') ?? '')),
    'nothing of it was read',
  )
  t.ok(org.running())
})

tap.test("planted names in one's own new/, a swapped new/ and a file held under a write lease do not lead the daemon astray", system, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  org.drop('spool/pmo/a.md', message({ subject: 'first' }))
  const letter = await until('mail', () => lettersOf(org.root, 'pmo')[0])
  const target = `${org.base}/outside`
  writeFileSync(target, 'as it was')
  await org.as('pmo', 'ln -s "$1" new/1-urgent.planted.md; mkfifo cur/pipe.md; mkdir done/folder.md', target)
  await org.as('pmo', 'rm "new/$1"; ln -s "$2" "new/$1"', letter.file, target)
  await until('the vanished message is back', () => lettersOf(org.root, 'pmo').find((one) => one.id === letter.id && one.head.get('subject') === 'first'))
  t.equal(readFileSync(target, 'utf8'), 'as it was', 'nothing outside was written')
  org.drop('spool/pmo/b.md', message({ subject: 'second' }))
  await until('the next', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === 'second'))
  t.ok(org.running())
})
