import { chmodSync, chownSync, statSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, organisation } from '../e2e/driver.ts'
import { lettersOf, message, until } from '../e2e/files.ts'

tap.test('mail that an agent closes to its manager is open to it again, wherever it lies', { skip: AM_ROOT ? false : 'needs uid 0' }, async (t) => {
  const org = await organisation(t, { agents: { boss: '', eve: 'manager: boss\n', pmo: '' } })
  await org.up()
  for (const subject of ['lies', 'settled', 'moved']) org.drop(`workspaces/pmo/outbox/${subject}.md`, message({ to: 'eve', subject }))
  const mail = await until('the mail', () => {
    const found = lettersOf(org.root, 'eve')
    return found.length === 3 ? found : undefined
  })
  const [lies, settled, moved] = ['lies', 'settled', 'moved'].map((subject) => mail.find((one) => one.head.get('subject') === subject)?.file ?? '')
  const { gid } = statSync(org.at('workspaces/eve/new', lies ?? ''))
  const rightsOf = (path: string): string => {
    const stat = statSync(org.at('workspaces/eve', path))
    return `${stat.gid} ${(stat.mode & 0o040).toString(8)}`
  }
  const open = (path: string): Promise<unknown> => until(`${path} is open`, () => rightsOf(path) === `${gid} 40` || undefined)
  await org.as('eve', 'mv "new/$1" done/', settled ?? '')
  await until('settled', () => lettersOf(org.root, 'eve').some((one) => one.file === settled && one.head.get('status') === 'done'))
  await org.as('eve', 'chmod 0 "new/$1" "done/$2"; cp "new/$3" home/ 2>/dev/null; mv "home/$3" "new/$3"', lies ?? '', settled ?? '', moved ?? '')
  for (const path of [`new/${lies}`, `done/${settled}`, `new/${moved}`]) await open(path)
  await org.end()
  chmodSync(org.at('workspaces/eve/new', lies ?? ''), 0)
  chownSync(org.at('workspaces/eve/new', moved ?? ''), statSync(org.at('workspaces/eve/home')).uid, statSync(org.at('workspaces/eve/home')).gid)
  await org.up()
  for (const path of [`new/${lies}`, `new/${moved}`]) await open(path)
  t.pass('also what was closed while the daemon was down')
})
