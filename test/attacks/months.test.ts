import { existsSync, statSync } from 'node:fs'
import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { lettersOf, message, sentBy, until } from '../e2e/files.ts'
import { asAgents, attack, goodMail, goodMailMeanwhile, peakMemory } from './hostile.ts'

/** A folder of a past month and a link to another's sent/ take turns under one name. */
const RACE = `
const renameat2 = libc.func('int renameat2(int, const char *, int, const char *, uint32_t)')
const [done, target, seconds] = process.argv.slice(2)
process.chdir(done)
fs.mkdirSync('2026-01')
fs.symlinkSync(target, 'link')
const pause = new Int32Array(new SharedArrayBuffer(4))
const end = Date.now() + Number(seconds) * 1000
while (Date.now() < end) {
  renameat2(-100, '2026-01', -100, 'link', 2)
  Atomics.wait(pause, 0, 0, Math.random() * 2)
}
`

tap.test("a folder of a past month that is exchanged with a link leads the daemon into nobody else's folder", asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  for (let i = 0; i < 5; i++) org.drop(`workspaces/legal/outbox/a${i}.md`, message({ to: 'eve', subject: `mail ${i}` }))
  await until('mail', () => lettersOf(org.root, 'eve').length === 5)
  const mirrors = await until('mirrors', () => (sentBy(org.root, 'legal').length === 5 ? sentBy(org.root, 'legal') : undefined))
  const race = attack(t, org, 'months', RACE, [org.at('workspaces/eve/done'), org.at('workspaces/legal/sent'), '8'])
  await until('the race goes on', () => existsSync(org.at('workspaces/eve/done/link')))
  await org.as('eve', 'rm new/*')
  let strange = 0
  const watch = setInterval(() => {
    for (const { path } of mirrors) if (statSync(path, { throwIfNoEntry: false })?.uid !== 0) strange++
  }, 1)
  t.teardown(() => clearInterval(watch))
  await goodMailMeanwhile(t, org, race.isOver, 'during the race')
  clearInterval(watch)
  t.equal(strange, 0, 'mirrors are there, and the daemon’s, at every moment')
})

tap.test('tens of thousands of names that the daemon might have made cost neither memory nor the mail of others', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  org.drop('workspaces/legal/outbox/a.md', message({ to: 'eve', subject: 'mail' }))
  const letter = await until('mail', () => lettersOf(org.root, 'eve')[0])
  const PLANT = `
const [done] = process.argv.slice(2)
process.chdir(done)
fs.writeFileSync('../home/one', '')
const id = (n) => '01900000-0000-7000-8000-' + n.toString(16).padStart(12, '0')
for (let n = 0; n < 20000; n++) fs.linkSync('../home/one', '3-normal.' + id(n) + '.x.md')
for (let n = 0; n < 2000; n++) fs.mkdirSync(String(n).padStart(4, '0') + '-00')
const names = ['../new/' + process.argv[3], '../new/3-normal.' + process.argv[3].split('.')[1] + '.other.md']
const pause = new Int32Array(new SharedArrayBuffer(4))
const end = Date.now() + 6000
for (let i = 0; Date.now() < end; i++) {
  try { fs.renameSync(names[i % 2], names[1 - (i % 2)]) } catch {}
  Atomics.wait(pause, 0, 0, 20)
}
`
  const plant = attack(t, org, 'plant', PLANT, [org.at('workspaces/eve/done'), letter.file])
  await goodMailMeanwhile(t, org, plant.isOver, 'meanwhile')
  t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
  t.ok(peakMemory(org) < 300 * 1024 ** 2, `the daemon needed ${Math.round(peakMemory(org) / 1024 ** 2)} MB`)
})
