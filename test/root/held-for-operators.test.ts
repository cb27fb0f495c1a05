import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, linkSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, organisation, run } from '../e2e/driver.ts'
import { alertOf, heldFiles, lettersOf, message, until } from '../e2e/files.ts'

/** Debian's `users`; whoever is in it is an operator of this organisation. */
const GROUP = 'users'
const gid = Number(spawnSync('getent', ['group', GROUP], { encoding: 'utf8' }).stdout.split(':')[2])
const only = { skip: AM_ROOT && gid > 0 ? false : `needs uid 0 and the group ${GROUP}` }
const wrong = message({ to: 'nosuchagent', subject: 'wrong' })

tap.test('an operator may read a held file, however its sender closed it; nothing else about it changes', only, async (t) => {
  const org = await organisation(t, { org: `operators: ${GROUP}\n` })
  await org.up()
  const pmo = org.owner('pmo') as { uid: number; gid: number }
  const stage = `${org.base}/one`
  for (const [n, mode] of [0o600, 0o4770, 0o2711, 0].entries()) {
    writeFileSync(stage, `${wrong}${n}`)
    chownSync(stage, pmo.uid, pmo.gid)
    chmodSync(stage, mode)
    await run(['mv', stage, org.at(`workspaces/pmo/outbox/case ${n}.md`)])
    const held = await until(`case ${n} is held`, () => heldFiles(org.root).find((one) => one.raw.toString() === `${wrong}${n}`))
    const stat = await until('and its group is the operators', () => statSync(held.path).gid === gid && statSync(held.path))
    t.match(stat, { uid: pmo.uid, gid }, `case ${n}: it is still its sender's`)
    t.equal(stat.mode & 0o7777, (mode & 0o707) | 0o040, `case ${n}: the group reads, and runs and writes nothing`)
    const read = await run(['setpriv', '--reuid', '12345', '--regid', '12345', '--groups', String(gid), 'cat', held.path])
    t.equal(read.out, `${wrong}${n}`, read.err)
    const other = await run(['setpriv', '--reuid', '12345', '--regid', '12345', '--clear-groups', 'cat', held.path])
    t.not(other.status, 0, 'others read nothing')
  }
  const [held] = heldFiles(org.root).filter((one) => one.raw.toString() === `${wrong}0`)
  writeFileSync(held?.path ?? '', message({ to: 'legal', subject: 'mended' }))
  t.equal((await org.penny(['release', held?.path ?? ''])).status, 0)
  const letter = await until('released', () => lettersOf(org.root, 'legal')[0])
  t.equal(letter.head.get('from'), 'pmo')
})

tap.test('a file with another name, and what a link leads to, keep owner and mode', only, async (t) => {
  const org = await organisation(t, { org: `operators: ${GROUP}\n` })
  await org.up()
  const secret = `${org.base}/secret`
  writeFileSync(secret, wrong)
  chmodSync(secret, 0o600)
  linkSync(secret, org.at('spool/legal/hard.md'))
  symlinkSync(secret, org.at('spool/legal/soft.md'))
  for (const name of ['hard.md', 'soft.md']) await until(name, () => alertOf(org.root, 'unsafe-file', name))
  t.same([statSync(secret).gid, statSync(secret).mode & 0o7777], [0, 0o600])
  t.equal(readFileSync(secret, 'utf8'), wrong)
  for (const name of ['hard', 'soft']) {
    const held = heldFiles(org.root).find((one) => one.slug === name)
    t.equal(held && lstatSync(held.path).gid, 0, `${name} lies in held/ as it was`)
  }
})
