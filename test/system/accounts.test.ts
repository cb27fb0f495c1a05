import { chmodSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { accountOf, membersOf } from '../../src/system/accounts.ts'

/** getent(1) of a machine with these accounts, first on the path. */
const GETENT = `#!/bin/sh
database=$1; shift; status=0
for key in "$@"; do
  case $database:$key in
    passwd:ann | passwd:1001) echo 'ann:x:1001:2001:Ann, of law:/home/ann:/bin/sh' ;;
    passwd:bob) echo 'bob:x:1002:2002::/home/bob:/bin/sh' ;;
    group:ops) echo 'ops:x:500:ann,gone,bob' ;;
    group:empty) echo 'empty:x:501:' ;;
    group:broken) exit 1 ;;
    *) status=2 ;;
  esac
done
exit $status
`

t.test('accounts and members of groups, as the machine tells them', async (t) => {
  const folder = t.testdir()
  writeFileSync(`${folder}/getent`, GETENT)
  chmodSync(`${folder}/getent`, 0o755)
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${folder}:${path}`
  t.teardown(() => {
    process.env['PATH'] = path
  })
  t.same(accountOf('passwd', 'ann'), { uid: 1001, gid: 2001 })
  t.same(accountOf('passwd', '1001'), { uid: 1001, gid: 2001 })
  t.same(accountOf('passwd', '7777'), { uid: 7777, gid: 7777 }, 'a bare number')
  t.equal(accountOf('passwd', 'nobody-of-all'), undefined)
  t.equal(accountOf('group', 'ops')?.gid, 500)
  t.same(membersOf('ops'), [1001, 1002], 'one whose account is gone is nobody')
  t.same(membersOf('empty'), [])
  t.same(membersOf('none'), [])
  t.throws(() => membersOf('broken'), { code: 'ELOOKUP' })
})
