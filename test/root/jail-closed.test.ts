import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { AM_ROOT, jsonLines, ORDINARY, type Organisation, organisation, PENNY, REACHABLE, run, type Shape } from '../e2e/driver.ts'
import { type AlertFile, alertOf, alertsOf, exists, type Letter, lettersOf, message, pause, until } from '../e2e/files.ts'

const skip = AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read'
/** Raised within 2 s (contract, page 3), on a machine that may be busy. Milliseconds. */
const TOLD_MS = 2_000 + 2_000

const shape: Shape = {
  // There its bwrap can be taken away.
  ownMounts: true,
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: {
    legal: 'runner: { command: [./work.sh], max_attempts: 1 }\n',
    pmo: 'runner: { command: [./work.sh], max_attempts: 1 }\n',
    loose: 'jail: none\nrunner: { command: [./work.sh], max_attempts: 1 }\n',
  },
  policies: { 'runners/work.sh': '#!/bin/sh\necho ran >> ran\n' },
}

const letter = (org: Organisation, agent: string): Letter | undefined => lettersOf(org.root, agent).find((one) => one.head.get('status') !== undefined)
const ran = (org: Organisation, agent: string): boolean => exists(org.at('workspaces', agent, 'home/ran'))

async function inItsView(org: Organisation, script: string): Promise<void> {
  const done = await run(['nsenter', '--mount', '--target', String(org.pid()), 'sh', '-ec', script])
  if (done.status !== 0) throw new Error(done.err)
}

/** A change of the configuration, after which the daemon looks at its jails at once instead of within half a minute. */
function kick(org: Organisation, agent: string, lines: string): void {
  writeFileSync(org.at('policies/agents', `${agent}.md`), `---\ntitle: mended ${agent}\n${lines}---\nx\n`)
}

async function waits(t: Test, org: Organisation, agent: string, dropped: number, why: RegExp): Promise<AlertFile> {
  const alert = await until('the alert', () => alertOf(org.root, 'jail-unavailable'), 10_000)
  t.ok(performance.now() - dropped < TOLD_MS, `told after ${Math.round(performance.now() - dropped)} ms`)
  await until('the message waits in new/', () => letter(org, agent)?.folder === 'new' && letter(org, agent)?.head.get('status') === 'open')
  await pause(1_200)
  t.match(letter(org, agent), { folder: 'new' }, 'it is not tried again and again')
  t.notOk(ran(org, agent), 'nothing was run')
  t.match(alert.text, why)
  const row = (await org.json(['agents'])).find((one) => one['name'] === agent)
  t.match(row, { state: 'waiting', why: /^no jail can be made for it: / })
  t.match((await org.penny(['agents'])).out, /\[waiting: no jail can be made for it: /)
  t.match((await org.penny(['status'])).out, /! jail-unavailable /)
  t.equal(alertsOf(org.root).filter(({ code }) => code === 'jail-unavailable').length, 1, 'one alert')
  t.equal(alertOf(org.root, 'run-failed'), undefined)
  return alert
}

async function recovers(org: Organisation, agent: string): Promise<void> {
  await until('it ran after all, with max_attempts: 1', () => letter(org, agent)?.head.get('status') === 'done')
  await until('the alert is closed', () => alertOf(org.root, 'jail-unavailable') === undefined, 5_000)
}

const CASES = {
  'bubblewrap is uninstalled': { over: '/dev/null', why: /bubblewrap \(bwrap\) is not installed/, fix: 'sudo apt-get install bubblewrap' },
  'bubblewrap always fails': { over: undefined, why: /bwrap: No permissions to create a new namespace/, fix: 'penny doctor' },
} as const

/** Answers as a bwrap that the kernel lets make nothing. */
function brokenBwrap(org: Organisation): string {
  const path = `${org.base}/bwrap`
  writeFileSync(path, '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.8.0 && exit\necho "bwrap: No permissions to create a new namespace" >&2\nexit 1\n')
  chmodSync(path, 0o755)
  return path
}

const MODES: Readonly<Record<string, Shape>> = { 'system mode': shape, 'user mode': { ...shape, as: ORDINARY } }

for (const [mode, how] of Object.entries(MODES)) for (const [title, one] of Object.entries(CASES)) closes(mode, how, title, one)

function closes(mode: string, how: Shape, title: string, { over, why, fix }: (typeof CASES)[keyof typeof CASES]): void {
  t.test(`${mode}: ${title} while the daemon runs: nothing is started in a weaker jail, and all is said`, { skip }, async (t) => {
    const org = await organisation(t, how)
    const broken = brokenBwrap(org)
    await org.up()
    t.match(await org.json(['status']), [{ mode: mode.replace(' mode', '') }])
    await inItsView(org, `mount --bind '${over ?? broken}' /usr/bin/bwrap`)
    const { at } = org.drop('spool/legal/task.md', message({ subject: 'one' }))
    const alert = await waits(t, org, 'legal', at, why)
    t.equal(alert.head.get('fix'), fix)
    org.drop('spool/loose/task.md', message({ subject: 'one' }))
    await until('an agent that has none goes on', () => letter(org, 'loose')?.head.get('status') === 'done')
    await inItsView(org, 'umount /usr/bin/bwrap')
    kick(org, 'pmo', 'runner: { command: [./work.sh], max_attempts: 1 }\n')
    await recovers(org, 'legal')
  })
}

t.test('a mount that is not there stops its agent alone; a daemon that starts meanwhile says the same, and closes it once it is there', { skip }, async (t) => {
  const org = await organisation(t, shape)
  const mount = `${org.base}/code`
  const lines = `mounts: [{ from: ${mount}, at: /code }]\nrunner: { command: [./work.sh], max_attempts: 1 }\n`
  kick(org, 'legal', lines)
  await org.up()
  const { at } = org.drop('spool/legal/task.md', message({ subject: 'one' }))
  const alert = await waits(t, org, 'legal', at, new RegExp(`The jail of legal cannot be made .*${mount}`))
  org.drop('spool/pmo/task.md', message({ subject: 'one' }))
  await until('the other goes on', () => letter(org, 'pmo')?.head.get('status') === 'done')
  const pasted = await run(['/bin/sh', '-c', `penny() { '${process.execPath}' '${PENNY}' "$@"; }\n${alert.head.get('fix')}`], {
    cwd: org.root,
    env: { NO_COLOR: '1', PENNY_ROOT: org.root, EDITOR: 'cat' },
  })
  t.match(pasted, { status: 0, out: new RegExp(mount) }, 'the fix opens the file that names what is missing')
  await org.end()
  mkdirSync(mount)
  await org.up()
  await recovers(org, 'legal')
  t.equal(jsonLines((await org.penny(['alerts', '--json'])).out).length, 0)
})

t.test('penny jail says what is missing, with a command that mends it', { skip }, async (t) => {
  const org = await organisation(t, shape)
  const none = await org.penny(['jail', 'legal'])
  t.match(none, { status: 69, err: /legal has no folders yet[\s\S]*fix: penny up/ })
  await org.up()
  await org.end()
  t.match(await org.penny(['jail', 'legal', '--', 'true']), { status: 0 })
  const stranger = await org.penny(['jail', 'legal', '--', 'id'], { as: { uid: 12_345, gid: 12_345 } })
  t.equal(stranger.status, 77, stranger.err)
  t.match(stranger.err, /fix: sudo .* jail legal/)
  const hidden = await run(
    ['unshare', '--mount', 'sh', '-ec', 'mount --bind /dev/null /usr/bin/bwrap; exec "$@"', 'sh', process.execPath, PENNY, 'jail', 'legal', '--', 'id'],
    {
      env: { NO_COLOR: '1', PENNY_ROOT: org.root },
    },
  )
  t.match(hidden, { status: 75, out: '', err: /bubblewrap \(bwrap\) is not installed[\s\S]*fix: apt-get install bubblewrap/ })
})

t.test('who starts the daemon where no jail can be made is told so at once, and doctor says it once, with what mends it', { skip }, async (t) => {
  const org = await organisation(t, shape)
  const cases = [
    { over: '/dev/null', why: 'bubblewrap \\(bwrap\\) is not installed', fix: 'apt-get install bubblewrap' },
    {
      over: brokenBwrap(org),
      why: 'bwrap: No permissions to create a new namespace',
      fix: '(setpriv .* bwrap --unshare-user .*|sysctl .*|apt-get install .*)',
    },
  ]
  for (const { over, why, fix } of cases) {
    const script = `mount --bind '${over}' /usr/bin/bwrap; up=0; "$@" up --detach || up=$?; "$@" doctor || true; "$@" down >&2; exit $up`
    const said = await run(['unshare', '--mount', 'sh', '-ec', script, 'sh', process.execPath, PENNY], { env: { NO_COLOR: '1', PENNY_ROOT: org.root } })
    t.equal(said.status, 0, 'mail is admitted all the same')
    t.match(said.err, new RegExp(`^no jail can be made on this machine \\(${why}\\), so no agent is started {3}fix: ${fix}`, 'm'))
    t.match(said.out, new RegExp(`^WRONG jail +no jail can be made on this machine, so no agent is started: ${why}\n +fix: ${fix}`, 'm'))
    t.equal(said.out.split('\n').filter((line) => line.startsWith('WRONG jail')).length, 1, said.out)
  }
  t.equal((await run([process.execPath, PENNY, 'up', '--detach'], { env: { NO_COLOR: '1', PENNY_ROOT: org.root } })).err, '', 'where they can, nothing is said')
  t.equal((await org.penny(['down'])).status, 0)
})

t.test('a folder that is mounted for writing, and is not its agent’s to write, is named by doctor with the command that gives it', { skip }, async (t) => {
  const org = await organisation(t, shape)
  const [barred, given] = [`${org.base}/barred`, `${org.base}/given`]
  for (const folder of [barred, given]) mkdirSync(folder, { mode: 0o755 })
  kick(org, 'legal', `mounts: [{ from: ${barred}, at: /b, mode: rw }, { from: ${given}, at: /g, mode: rw }, { from: /usr/share, at: /r }]\n`)
  await org.up()
  const uid = org.owner('legal')?.uid ?? -1
  chownSync(given, uid, uid)
  const doctor = async (): Promise<string> => (await org.penny(['doctor'])).out
  t.match(await doctor(), new RegExp(`^note +jail +legal may not write ${barred}, [^\n]*uid ${uid}\n +fix: chown ${uid} ${barred}$`, 'm'))
  t.notMatch(await doctor(), new RegExp(`may not write (${given}|/usr)`))
  t.equal((await run(['chown', String(uid), barred])).status, 0)
  t.notMatch(await doctor(), /may not write/)
  t.equal((await org.penny(['jail', 'legal', '--', 'touch', '/b/x', '/g/x'])).status, 0)
})
