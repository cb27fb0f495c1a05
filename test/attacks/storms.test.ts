import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, until } from '../e2e/files.ts'
import { asAgents, attack, goodMail, goodMailMeanwhile } from './hostile.ts'

/** Thousands of renames of a name that is not UTF-8, beside many drafts: each report says only that something changed. */
const STORM = `
const [folder, drafts, seconds] = process.argv.slice(2)
process.chdir(folder)
for (let i = 0; i < Number(drafts); i++) fs.writeFileSync('.d' + i, '')
const names = [0x61, 0x62].map((letter) => Buffer.from([0x2e, 0xff, letter]))
fs.writeFileSync(names[0], '')
const pause = new Int32Array(new SharedArrayBuffer(4))
const end = Date.now() + Number(seconds) * 1000
for (let i = 0; Date.now() < end; i++) {
  fs.renameSync(names[i % 2], names[1 - (i % 2)])
  Atomics.wait(pause, 0, 0, 0.5)
}
`

for (const [where, drafts] of [
  ['workspaces/eve/outbox', 4000],
  ['spool', 4000],
] as const) {
  tap.test(`thousands of renames of a name that is not UTF-8 in ${where}/ hold nobody's mail up`, asAgents, async (t) => {
    const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
    await org.up()
    const storm = attack(t, org, 'storm', STORM, [org.at(where), String(drafts), '8'])
    await goodMailMeanwhile(t, org, storm.isOver, 'during the storm')
    t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000, 'and after it')
    await org.as('eve', 'rm -f "$1"/.d* "$1"/.?[ab]; printf %s x > "$1/$(printf \'stray\\377\')"', org.at(where))
    await until('a stray with such a name is told of all the same', () => alertOf(org.root, 'unmatched-file', 'stray'), 15_000)
    t.ok(org.running())
  })
}
