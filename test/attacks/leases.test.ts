import { readdirSync, rmSync } from 'node:fs'
import tap, { type Test } from 'tap'
import { type Organisation, organisation } from '../e2e/driver.ts'
import { lettersOf, message, pause, sentBy, until } from '../e2e/files.ts'
import { asAgents, attack, goodMail } from './hostile.ts'

/** Write leases on every message of a folder, taken again as soon as they are lost: nobody else can open the files. */
const LEASES = `
process.on('SIGIO', () => undefined)
const fcntl = libc.func('int fcntl(int fd, int command, int what)')
const [folder] = process.argv.slice(2)
const held = new Map()
function take(file) {
  if (held.has(file)) {
    if (fcntl(held.get(file), 1025, 0) === 1) return
    fs.closeSync(held.get(file))
    held.delete(file)
  }
  const fd = fs.openSync(file, 'r+')
  if (fcntl(fd, 1024, 1) === 0) held.set(file, fd)
  else fs.closeSync(fd)
}
setInterval(() => {
  for (const name of fs.readdirSync(folder)) try { take(folder + '/' + name) } catch {}
}, 2)
`

function leases(t: Test, org: Organisation, folder: string): void {
  attack(t, org, 'leases', LEASES, [org.at(folder)])
}

tap.test('a write lease on settled mail does not hold up what its sender writes to others about it', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  org.drop('workspaces/legal/outbox/a.md', message({ to: 'eve', subject: 'asked', ref: 'asked' }))
  const asked = await until('the task', () => lettersOf(org.root, 'eve')[0])
  await org.as('eve', 'mv "new/$1" done/', asked.file)
  await until('it is settled', () => sentBy(org.root, 'legal').some((one) => one.head.get('status') === 'done'))
  leases(t, org, 'workspaces/eve/done')
  await pause(500)
  const spent = await goodMail(org, 'legal', 'pmo', { to: '[eve, pmo]', in_reply_to: asked.id })
  t.ok(spent <= 2_000, `it took ${Math.round(spent)} ms`)
})

tap.test('write leases on mail in new/ cost no checkpoint, no order of the stop, and nobody a mirror at the next start', asAgents, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  leases(t, org, 'workspaces/eve/new')
  await pause(500)
  for (let i = 0; i < 5; i++) org.drop(`workspaces/legal/outbox/a${i}.md`, message({ to: '[eve, pmo]', subject: `leased ${i}` }))
  await until('mail of both', () => lettersOf(org.root, 'pmo').length === 5)
  for (let i = 0; i < 6; i++) {
    t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
    await pause(400)
  }
  t.notMatch(org.log(), /"what":"checkpoint"/, 'no checkpoint failed')
  await org.end('SIGKILL')
  for (const file of readdirSync(org.at('workspaces/legal/sent'))) rmSync(org.at('workspaces/legal/sent', file))
  await org.up()
  const mine = (): string[] => sentBy(org.root, 'legal').map(({ id }) => id)
  await until('mirrors of the mail that can be read', () => lettersOf(org.root, 'pmo').every(({ id }) => mine().includes(id)))
  t.ok((await goodMail(org, 'legal', 'pmo')) <= 2_000)
  const { status, err } = await org.end()
  t.equal(status, 0)
  t.notMatch(err, /did not stop in order/)
})
