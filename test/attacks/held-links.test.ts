import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { pause } from '../e2e/files.ts'
import { asAgents, attack, goodMail, goodMailMeanwhile } from './hostile.ts'

/** A message that cannot be admitted and a link take turns under one name. */
const RACE = `
const renameat2 = libc.func('int renameat2(int, const char *, int, const char *, uint32_t)')
const [folder, target, seconds] = process.argv.slice(2)
process.chdir(folder)
const end = Date.now() + Number(seconds) * 1000
for (let k = 0; Date.now() < end; k++) {
  const [bad, link] = ['b' + k + '.md', '.l' + k]
  fs.symlinkSync(target, link)
  fs.writeFileSync('.t', '---\\nto: [\\n---\\nx\\n')
  fs.renameSync('.t', bad)
  for (let i = 0; i < 6000; i++) if (renameat2(-100, bad, -100, link, 2) !== 0) break
  for (const name of [bad, link]) try { fs.unlinkSync(name) } catch {}
}
`

tap.test('a link put under the name of a message that is about to be held is never in spool/held/, and every reason has its file', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  const secret = `${org.base}/secret`
  writeFileSync(secret, 'as it was', { mode: 0o600 })
  const race = attack(t, org, 'race', RACE, [org.at('workspaces/eve/outbox'), secret, '8'])
  await goodMailMeanwhile(t, org, race.isOver, 'during the race')
  await pause(2_500)
  const names = readdirSync(org.at('spool/held'))
  const files = names.filter((name) => !name.endsWith('.why.md'))
  t.ok(files.length > 0, 'something was held')
  // What it is told to be may be held: a link as unsafe, whose fix does not open it.
  t.same(
    files.filter((name) => !name.startsWith('unsafe-file.') && !lstatSync(org.at('spool/held', name)).isFile()),
    [],
  )
  t.same(
    names.filter((name) => name.endsWith('.why.md') && !names.includes(name.slice(0, -'.why.md'.length))),
    [],
  )
  t.equal(readFileSync(secret, 'utf8'), 'as it was')
  t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
})
