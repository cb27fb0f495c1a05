/** `scripts/demo` in copies of this project, as people run it: twice, to stay, interrupted, as an ordinary user. */
import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { AM_ROOT, type Ended, ORDINARY, type Owner, PENNY, REACHABLE, run } from './driver.ts'
import { until } from './files.ts'

t.setTimeout(240_000)

const PROJECT = dirname(dirname(dirname(PENNY)))
/** "In under 60 s after installation" (the demo's promise). Milliseconds. */
const PROMISED_MS = 60_000
const NO_DAEMON = 69

/** As from a person's shell: without what the test runner puts into each Node that is started below it. */
const PLAIN = { NODE_OPTIONS: '', NO_COLOR: '', PENNY_ROOT: '' }

type Clone = Readonly<{
  root: string
  demo: (...args: string[]) => Promise<Ended>
  penny: (...args: string[]) => Promise<Ended>
  changed: () => Promise<string>
}>

/** The working tree as a clone of its own, built and installed already; as a folder that others may enter. */
async function clone(t: Test, as?: Owner): Promise<Clone> {
  const base = mkdtempSync(join(tmpdir(), 'penny-clone-'))
  const root = join(base, 'pennypost')
  const how = { as, cwd: root, env: { ...PLAIN, HOME: base }, boundMs: 120_000 }
  const penny: Clone['penny'] = (...args) => run([process.execPath, join(root, 'dist/cli/penny.js'), ...args, '--root', root], how)
  t.teardown(async () => {
    if ((await penny('status')).status !== NO_DAEMON) await penny('down')
    rmSync(base, { recursive: true, force: true, maxRetries: 3 })
  })

  const listed = await run(['git', '-c', `safe.directory=${PROJECT}`, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: PROJECT })
  if (listed.status !== 0) throw new Error(listed.err)
  const files = listed.out.split('\0').filter((file) => file !== '' && existsSync(join(PROJECT, file)))
  for (const file of files) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    cpSync(join(PROJECT, file), join(root, file), { preserveTimestamps: true })
  }
  cpSync(join(PROJECT, 'dist'), join(root, 'dist'), { recursive: true, preserveTimestamps: true })
  copyPackages(root)
  const built = new Date()
  for (const marker of ['dist/.built', 'node_modules/.package-lock.json']) utimesSync(join(root, marker), built, built)
  chmodSync(base, 0o755)
  if (as) await must(['chown', '-R', '-h', `${as.uid}:${as.gid}`, base], {})
  const git = ['git', '-c', 'user.name=a', '-c', 'user.email=a@example.org', '-c', 'core.excludesFile=']
  await must([...git, 'init', '-q'], how)
  await must([...git, 'add', '--all'], how)
  await must([...git, 'commit', '-q', '-m', 'as it was'], how)

  return {
    root,
    penny,
    demo: (...args) => run(['sh', 'scripts/demo', ...args], how),
    changed: async () => (await must(['git', 'status', '--porcelain'], how)).out,
  }
}

/** What the built command needs. Nothing in a clone leads back into this checkout: scripts/setup there may install anew, which empties the folder first. */
function copyPackages(root: string): void {
  const installed = 'node_modules/.package-lock.json'
  const { packages } = JSON.parse(readFileSync(join(PROJECT, installed), 'utf8')) as { packages: Record<string, { dev?: true; devOptional?: true }> }
  const needed = Object.keys(packages).filter((path) => !packages[path]?.dev && !packages[path]?.devOptional)
  for (const path of [...needed, installed]) cpSync(join(PROJECT, path), join(root, path), { recursive: true, verbatimSymlinks: true })
}

async function must(argv: readonly string[], how: Parameters<typeof run>[1]): Promise<Ended> {
  const ended = await run(argv, how)
  if (ended.status !== 0) throw new Error(`${argv.join(' ')}: ${ended.err}`)
  return ended
}

/** A demo that has just printed `moment`. */
async function startedUntil(here: Clone, moment: string): Promise<{ pid: number; ended: Promise<number | null>; closeOutput: () => void }> {
  const child = spawn('sh', ['scripts/demo'], { cwd: here.root, detached: true, env: { ...process.env, ...PLAIN }, stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', (code) => resolve(code)))
  await until(moment, () => text.includes(moment) || child.exitCode !== null, 60_000)
  return { pid: child.pid ?? 0, ended, closeOutput: () => child.stdout.destroy() }
}

/** What everybody who runs it must have seen. */
function plays(t: Test, ended: Ended, title: string): void {
  t.equal(ended.status, 0, `${title}: exit`)
  if (ended.status !== 0) t.comment(`${ended.out.slice(-3000)}${ended.err}`)
  t.ok(ended.ms < PROMISED_MS, `${title}: ends in ${Math.round(ended.ms)} ms`)
  for (const scene of [
    'The plain walk',
    'Nine messages stuck for ninety minutes',
    'Two systems, zero integration',
    'One of my API tokens disappeared',
    'Rate limits hit different at thirty',
    'The context window is a cliff',
  ])
    t.match(ended.out, `== ${scene}`, `${title}: ${scene}`)
  for (const code of ['unmatched-file', 'priority-in-name', 'unknown-recipient', 'unknown-priority', 'unknown-key', 'overdue', 'unsafe-file'])
    t.match(ended.out, new RegExp(`! ${code}[\\s\\S]*?mend: \\S`), `${title}: ${code} fires, and says what mends it`)
  t.match(ended.out, /ok all nine delivered or held/, title)
  t.match(ended.out, /ok every act is refused/, title)
  t.match(ended.out, /each for itself +answers .*\n +refusals .* [1-9]\d*\n +the gateway +answers /, title)
  t.match(ended.out, /ok through the gateway no agent was refused, and no task was lost/, title)
  t.match(ended.out, /its context alone +context .*\n +section +[1-9]+\*1.*\n +pennypost +context .*\n +section +1122[1-9]+\*[1-9]+x[abc]+\.\n/, title)
  t.match(ended.out, /ok with its context alone it began again at section 1; here it went on at section \d+ of 12/, title)
  t.match(ended.out, /ok twelve sections, each decided once, through a full context and a killed run/, title)
  t.notMatch(ended.out, '\u001b', `${title}: no colour where nobody sees it`)
}

t.test('it plays every scene, ends what it started however it is stopped, works as well again, stays when asked, and git sees nothing', async (t) => {
  const here = await clone(t)
  t.equal(await here.changed(), '', 'the copy is clean')
  plays(t, await here.demo(), 'first run')
  t.equal((await here.penny('status')).status, NO_DAEMON, 'it ended the daemon that it started')
  t.equal(await here.changed(), '', 'git status is clean')

  for (const moment of ['penny up', 'cp $DESK/wire-approval']) {
    const demo = await startedUntil(here, moment)
    // A terminal sends it to the whole group of processes in the foreground.
    process.kill(-demo.pid, 'SIGINT')
    t.equal(await demo.ended, 130, `^C at ${moment}: exit`)
    t.equal((await here.penny('status')).status, NO_DAEMON, `^C at ${moment}: no daemon is left`)
  }
  const unread = await startedUntil(here, 'spool/legal')
  unread.closeOutput()
  t.not(await unread.ended, 0, 'it notices when nobody reads on')
  t.equal((await here.penny('status')).status, NO_DAEMON, 'and leaves no daemon')

  const stayed = await here.demo('--stay')
  plays(t, stayed, 'the run after three that were cut off')
  t.match(stayed.out, /To try next:[\s\S]*penny down/, 'it says what to try')
  t.equal((await here.penny('status')).status, 0, 'the daemon goes on')
  t.equal((await here.penny('alerts')).out.trim(), '', 'no alert is left open')

  const refused = await here.demo()
  t.equal(refused.status, 75, 'beside a running daemon it does not begin')
  t.match(refused.err, /a daemon runs here already[\s\S]*fix: .*down/)
  t.equal((await here.penny('status')).status, 0, 'and leaves that one alone')
  await here.penny('down')
  t.equal(await here.changed(), '', 'git status is clean')
})

t.test(
  'an ordinary user can play it',
  { skip: AM_ROOT && !REACHABLE ? 'an ordinary user cannot read this checkout' : !AM_ROOT && 'the other tests did' },
  async (t) => {
    const here = await clone(t, ORDINARY)
    const ended = await here.demo()
    plays(t, ended, 'ordinary user')
    t.match(ended.out, 'user mode')
    t.equal(await here.changed(), '', 'git status is clean')
  },
)

t.test('what cannot work is said before anything is started', async (t) => {
  const here = await clone(t)
  const wrong = await here.demo('--say')
  t.equal(wrong.status, 64)
  t.match(wrong.err, /usage: scripts\/demo/)
  if (!AM_ROOT) return
  chmodSync(dirname(here.root), 0o700)
  const closed = await here.demo()
  t.equal(closed.status, 77)
  t.match(closed.err, `chmod o+x ${dirname(here.root)}`)
  t.equal(statSync(join(here.root, '.penny'), { throwIfNoEntry: false }), undefined, 'nothing was started')
})
