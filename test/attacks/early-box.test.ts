import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, heldFiles, lettersOf, message, pause, until } from '../e2e/files.ts'
import { asAgents, attack, goodMail } from './hostile.ts'

/** Makes the box of an agent that is not there yet, keeps both folders open, and writes down every name it sees in them. */
const EYES = `
const [box, notes] = process.argv.slice(2)
fs.mkdirSync(box + '/files', { recursive: true })
fs.chmodSync(box, 0o777)
fs.chmodSync(box + '/files', 0o777)
const fds = [box, box + '/files'].map((path) => fs.openSync(path, 'r'))
fs.writeFileSync(notes, 'ready\\n')
setInterval(() => {
  for (const fd of fds) for (const name of fs.readdirSync('/proc/self/fd/' + fd)) {
    let text = ''
    try { text = fs.readFileSync('/proc/self/fd/' + fd + '/' + name, 'latin1') } catch {}
    fs.appendFileSync(notes, name + ' ' + text + '\\n')
  }
}, 1)
`

tap.test('a box that somebody made before its agent was there gives no eyes into what is dropped there later', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  const notes = org.at('workspaces/eve/home/notes')
  attack(t, org, 'eyes', EYES, [org.at('spool/finance'), notes])
  await until('the eyes are open', () => existsSync(notes) && readFileSync(notes, 'utf8') !== '')
  org.drop('spool/finance/early.md', message({ subject: 'early' }), org.owner('legal'))
  await until('what came early is held', () => heldFiles(org.root).find(({ slug }) => slug === 'early'))
  writeFileSync(org.at('policies/agents/finance.md'), '---\ntitle: Finance\n---\nYou are finance.\n')
  await until('finance is there', () => existsSync(org.at('workspaces/finance/new')))
  await until('it is told', () => alertOf(org.root, 'unsafe-file', 'spool/finance'))
  t.match(statSync(org.at('spool/finance')), { uid: 0 })
  t.match(statSync(org.at('spool/finance/files')), { uid: 0 })
  await pause(1_500)
  for (let i = 0; i < 20; i++) org.drop(`spool/finance/secret-${i}.md`, message({ subject: `secret ${i}` }), org.owner('legal'))
  await until('it comes through', () => lettersOf(org.root, 'finance').length === 20)
  t.notMatch(readFileSync(notes, 'latin1'), /secret/, 'nothing of it was seen')
  t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
})
