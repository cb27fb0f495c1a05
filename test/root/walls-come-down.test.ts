import { chmodSync, statSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE, run } from '../e2e/driver.ts'
import { lettersOf, message, until } from '../e2e/files.ts'

const only = { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0 and a built command that others may read' }

tap.test('an ordinary user that starts what root ran is refused with the command that makes it that user’s; then it works on', only, async (t) => {
  const before = await organisation(t)
  await before.up()
  before.drop('spool/legal/one.md', message({ subject: 'one' }))
  await until('mail', () => lettersOf(before.root, 'legal')[0])
  await before.end()
  // As far as it may read what it shall run at all.
  await run(['chown', '-R', `${ORDINARY.uid}:${ORDINARY.gid}`, before.at('policies')])
  const journal = statSync(before.at('.penny/journal'))
  const up = await before.penny(['up'], { as: ORDINARY, cwd: '/' })
  t.equal(up.status, 77)
  t.match(up.err, /\.penny belongs to uid 0: /)
  t.equal(statSync(before.at('.penny/journal')).ctimeMs, journal.ctimeMs, 'nothing was begun')
  await run(['chown', `${ORDINARY.uid}:${ORDINARY.gid}`, before.root, before.at('.penny')])
  const detached = await before.penny(['up', '--detach'], { as: ORDINARY, cwd: '/' })
  t.match(detached, { status: 77, err: /daemon\.log[\s\S]*\n +fix: (?:cd \S+ && )?penny up / })
  const half = await before.penny(['up'], { as: ORDINARY, cwd: '/' })
  t.equal(half.status, 77)
  t.match(half.err, /\.penny\/\S+ belongs to uid 0: /)
  const [, fix = ''] = /^ *fix: sudo (.+)$/m.exec(half.err) ?? []
  t.equal((await run(['/bin/sh', '-c', fix])).status, 0)
  chmodSync(before.base, 0o755)
  const org = await organisation(t, { existing: before.base, as: ORDINARY })
  await org.up()
  await org.as('legal', 'mv new/* cur/')
  await until('claimed', () => lettersOf(org.root, 'legal')[0]?.head.get('status') === 'in_progress')
  org.drop('spool/legal/two.md', message({ subject: 'two' }))
  await until('mail', () => lettersOf(org.root, 'legal').length === 2)
})
