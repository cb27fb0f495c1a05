import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AM_ROOT, organisation } from './driver.ts'

t.test('doctor names each folder on the way to the root that others can write, that is a link, or that agents cannot pass', async (t) => {
  const org = await organisation(t)
  const path = async (root = org.root) => (await org.json(['doctor', '--root', root])).filter(({ check }) => check === 'path')
  t.same(await path(), [])

  chmodSync(org.base, 0o777)
  t.match(await path(), [{ outcome: 'note', what: `${org.base} can be written by others (mode 777)`, fix: `chmod go-w ${org.base}` }])
  chmodSync(org.base, 0o755)

  symlinkSync(org.root, join(org.base, 'link'))
  t.match(await path(join(org.base, 'link')), [{ outcome: 'note', what: `${join(org.base, 'link')} is a symbolic link`, fix: /realpath/ }])

  chmodSync(org.base, 0o700)
  const shut = await path()
  chmodSync(org.base, 0o755)
  // In user mode everything is one user's, who passes.
  if (AM_ROOT) t.match(shut, [{ outcome: 'wrong', what: /cannot be entered by agents/, fix: `chmod o+x ${org.base}` }])
  else t.same(shut, [])
})
