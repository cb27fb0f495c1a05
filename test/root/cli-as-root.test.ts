/** An operator's commands as root, in folders where an agent may put a link in the place of anything. */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import tap, { type Test } from 'tap'
import { AM_ROOT, type Organisation, organisation, PENNY, run } from '../e2e/driver.ts'
import { until } from '../e2e/files.ts'

const only = { skip: AM_ROOT ? false : 'needs uid 0' }
const SENDS = 12

/** A file and a folder that nobody but root may touch, and how they were. */
function treasure(t: Test): { file: string; folder: string; untouched: () => void } {
  const folder = t.testdir({ secret: 'the token\n' })
  const file = `${folder}/secret`
  chmodSync(file, 0o600)
  chmodSync(folder, 0o700)
  const look = (): unknown[] => [file, folder].map((path) => [lstatSync(path).uid, lstatSync(path).gid, lstatSync(path).mode, readdirSync(folder)])
  const before = look()
  return {
    file,
    folder,
    untouched: () => {
      t.same(look(), before, 'owner, mode and names are as before')
      t.equal(readFileSync(file, 'utf8'), 'the token\n')
    },
  }
}

/** Does this as the agent, until it is told to stop. */
function asAgent(t: Test, org: Organisation, agent: string, script: string): void {
  const { uid, gid } = statSync(org.at(`workspaces/${agent}/outbox`))
  const child = spawn(process.execPath, ['-e', script], { uid, gid, cwd: '/', env: {}, stdio: 'inherit' })
  t.teardown(() => void child.kill('SIGKILL'))
}

async function started(t: Test): Promise<Organisation> {
  const org = await organisation(t)
  await org.up()
  return org
}

tap.test('root sends in the name of an agent that swaps unfinished files for links: nothing outside changes owner', only, async (t) => {
  const org = await started(t)
  const { file, untouched } = treasure(t)
  const outbox = org.at('workspaces/legal/outbox')
  asAgent(
    t,
    org,
    'legal',
    `const fs = require('node:fs')
     const outbox = ${JSON.stringify(outbox)}
     fs.writeFileSync(outbox + '/.racing', '')
     for (let n = 0; ; n++) for (const folder of [outbox, outbox + '/files']) {
       for (const name of fs.readdirSync(folder)) if (name.startsWith('.send-')) try {
         fs.symlinkSync(${JSON.stringify(file)}, folder + '/.link' + n)
         fs.renameSync(folder + '/.link' + n, folder + '/' + name)
       } catch {}
     }`,
  )
  await until('the race is on', () => existsSync(`${outbox}/.racing`))
  writeFileSync(`${org.root}/big.bin`, Buffer.alloc(3_000_000))
  for (let n = 0; n < SENDS; n++) {
    const { status, err } = await org.penny(['send', 'pmo', '--agent', 'legal', '-m', 'x', '-a', `${org.root}/big.bin`])
    // What the agent spoils is its own loss.
    t.ok([0, 65, 75, 77].includes(status ?? -1), `${status} ${err}`)
  }
  untouched()
})

tap.test("a link in the place of an agent's outbox/files leads root nowhere", only, async (t) => {
  const org = await started(t)
  const { folder, untouched } = treasure(t)
  const files = org.at('workspaces/legal/outbox/files')
  await org.end()
  rmSync(files, { recursive: true, force: true })
  symlinkSync(folder, files)
  writeFileSync(`${org.root}/cron-job`, '* * * * * root id\n')
  const { status, err } = await org.penny(['send', 'pmo', '--agent', 'legal', '-m', 'x', '-a', `${org.root}/cron-job`])
  t.equal(status, 73, err)
  t.match(err, /is no folder[\s\S]*fix: ls -ld/)
  untouched()
})

tap.test("root settles in the name of an agent with the daemon down: the file stays the agent's, and a link in its place is refused", only, async (t) => {
  const org = await started(t)
  const { file, untouched } = treasure(t)
  const id = (await org.penny(['send', 'legal', '-m', 'x'])).out.trim()
  const other = (await org.penny(['send', 'legal', '-m', 'y'])).out.trim()
  await org.end()
  t.equal((await org.penny(['settle', id, 'done', '-m', 'well', '--agent', 'legal'])).status, 0)
  const names = readdirSync(org.at('workspaces/legal/new'))
  const path = org.at(`workspaces/legal/new/${names.find((name) => name.includes(id))}`)
  t.equal(statSync(path).uid, statSync(org.at('workspaces/legal/outbox')).uid)
  t.equal(statSync(path).mode & 0o777, 0o640)
  const planted = org.at(`workspaces/legal/new/${names.find((name) => name.includes(other))}`)
  rmSync(planted)
  symlinkSync(file, planted)
  const { status } = await org.penny(['settle', other, 'done', '--agent', 'legal'])
  t.not(status, 0)
  t.not(status, 70)
  untouched()
})

tap.test('what an agent plants under the name of a message is not read by root: a pipe, a link, a folder, a device', only, async (t) => {
  const org = await started(t)
  const { file } = treasure(t)
  const plant: Readonly<Record<string, (path: string) => void>> = {
    pipe: (path) => void spawnSync('mkfifo', [path]),
    link: (path) => symlinkSync(file, path),
    endless: (path) => symlinkSync('/dev/zero', path),
    folder: (path) => mkdirSync(path),
  }
  await org.end()
  for (const [index, [what, make]] of Object.entries(plant).entries()) {
    const id = `01a1f000-000${index}-7000-8000-00000000000${index}`
    make(org.at(`workspaces/legal/new/1-urgent.${id}.x.md`))
    for (const command of ['show', 'thread']) {
      const { status, out, err, ms } = await org.penny([command, id], { boundMs: 10_000 })
      t.ok([0, 65, 66].includes(status ?? -1), `${command} of a ${what}: ${status} ${err}`)
      t.notMatch(out + err, /the token/)
      t.ok(ms < 10_000, `${command} of a ${what} ends`)
    }
  }
  t.equal((await org.penny(['tasks'])).status, 0)
})

tap.test('an organisation that an agent makes up in its workspace is none', only, async (t) => {
  const org = await started(t)
  const home = org.at('workspaces/legal/home')
  for (const folder of ['.penny', 'policies']) mkdirSync(`${home}/${folder}`)
  writeFileSync(`${home}/policies/org.yaml`, 'name: mine\npostmaster: me\n')
  const { out } = await org.penny(['paths'], { cwd: home, env: { PENNY_ROOT: '' } })
  t.match(out, org.root)
  t.notMatch(out, `${home}/policies`)
  t.equal(dirname(home), org.at('workspaces/legal'))
  const planted = `${home}/workspaces/pmo`
  mkdirSync(`${planted}/outbox`, { recursive: true })
  t.equal((await org.penny(['send', 'pmo', '-m', 'x'], { cwd: planted, env: { PENNY_ROOT: '' } })).status, 0)
  t.same(readdirSync(`${planted}/outbox`), [], 'nor a mailbox in it one of its own')
})

tap.test('root works in no organisation that others made around it, unless it names it', only, async (t) => {
  const org = await started(t)
  const { uid, gid } = statSync(org.at('workspaces/legal/outbox'))
  const folder = t.testdir({ policies: { 'org.yaml': 'name: acme\npostmaster: operator\n' }, code: {}, '.penny': {} })
  const here = { cwd: `${folder}/code`, env: { PENNY_ROOT: '', SUDO_UID: '' } }
  const tasks = (more: readonly string[] = [], env = here.env): ReturnType<typeof run> => run([process.execPath, PENNY, 'tasks', ...more], { ...here, env })
  t.equal((await tasks()).status, 0, 'its own')
  for (const part of ['', 'policies', '.penny']) {
    lchownSync(`${folder}/${part}`, uid, gid)
    const { status, err } = await tasks()
    t.equal(status, 77, part)
    t.match(err, `belongs to uid ${uid}`)
    t.match(err, /fix: ls -ldn .* penny tasks --root /)
    t.equal((await tasks(['--root', folder])).status, 0, 'named')
    t.equal((await tasks([], { ...here.env, SUDO_UID: String(uid) })).status, 0, 'it is whose command root runs')
    lchownSync(`${folder}/${part}`, 0, 0)
  }
  lchownSync(folder, 12_345, 12_345)
  t.equal((await tasks()).status, 0, "an ordinary user's")
  rmSync(`${folder}/.penny`, { recursive: true })
  symlinkSync(org.at('.penny'), `${folder}/.penny`)
  lchownSync(`${folder}/.penny`, uid, gid)
  t.equal((await tasks()).status, 77, "a link to root's own")
})
