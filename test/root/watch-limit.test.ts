import { type ChildProcess, spawn } from 'node:child_process'
import tap, { type Test } from 'tap'
import { AM_ROOT, type Owner, organisation, REACHABLE } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, until } from '../e2e/files.ts'

/** Nobody else: the kernel counts for each user, and no other test may run short. */
const ALONE: Owner = { uid: 64_731, gid: 64_731 }

/** Takes every inotify instance the user may have, and says so. */
const HOG = `
const koffi = require('koffi')
const init = koffi.load('libc.so.6').func('int inotify_init1(int flags)')
let taken = 0
while (init(0) >= 0) taken++
console.log('taken', taken)
setInterval(() => undefined, 1e6)
`

async function hog(t: Test): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', HOG], { ...ALONE, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until('the hog has them all', () => /taken \d+/.test(said))
  return child
}

const skip = { skip: AM_ROOT && REACHABLE ? false : 'as root only, in a checkout that an ordinary user can read' }

tap.test('a kernel that allows no watch at all: mail and claims are found by the sweep, and the alert goes with its cause', skip, async (t) => {
  const org = await organisation(t, { as: ALONE })
  const child = await hog(t)
  await org.up()
  await until('watch-limit', () => alertOf(org.root, 'watch-limit'))
  const drop = org.drop('workspaces/pmo/outbox/one.md', message({ to: 'legal', subject: 'one' }), ALONE)
  const letter = await until('it', () => lettersOf(org.root, 'legal')[0])
  // 2 s; + 1 s for a loaded machine
  t.ok(performance.now() - drop.at < 3000, `within ${Math.round(performance.now() - drop.at)} ms`)
  await org.as('legal', 'mv "new/$1" cur/', letter.file)
  await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'in_progress'))
  child.kill('SIGKILL')
  await until('the alert goes', () => !alertOf(org.root, 'watch-limit'), 30_000)
})
