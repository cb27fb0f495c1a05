/** Starts the built command on an organisation of its own, as a person would, and clears everything away afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import tap, { type Test } from 'tap'
import { coverWithoutHooks } from './coverage.ts'
import { pause } from './files.ts'

/** The nearest folder above that has a package.json: the tests also run compiled, one folder deeper. */
function findProject(folder: string): string {
  return existsSync(join(folder, 'package.json')) || folder === '/' ? folder : findProject(dirname(folder))
}

export const PROJECT = findProject(dirname(fileURLToPath(import.meta.url)))
const manifest = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { bin: { penny: string } }
coverWithoutHooks()
export const PENNY = join(PROJECT, manifest.bin.penny)
export const AM_ROOT = process.getuid?.() === 0
/** nobody: an ordinary user for tests of user mode that are started by root. */
export const ORDINARY: Owner = { uid: 65534, gid: 65534 }

/** Whether an ordinary user may read the built command: not so in a checkout under root's own home. */
export const REACHABLE =
  !AM_ROOT || spawnSync(process.execPath, ['-e', `require('node:fs').readFileSync(${JSON.stringify(PENNY)})`], { ...ORDINARY, cwd: '/', env: {} }).status === 0

export type Owner = Readonly<{ uid: number; gid: number }>
export type Ended = Readonly<{ status: number | null; signal: string | null; out: string; err: string; ms: number }>
export type Command = Readonly<{ as?: Owner | undefined; cwd?: string; env?: Readonly<Record<string, string>>; input?: string | Buffer; boundMs?: number }>

export type Shape = Readonly<{
  /** Front matter lines of each agent's file; `title:` is written anyway. */
  agents?: Readonly<Record<string, string>>
  people?: Readonly<Record<string, string>>
  /** More lines of org.yaml. */
  org?: string
  /** Any file under policies/, by its path there; those under runners/ are made executable. */
  policies?: Readonly<Record<string, string>>
  /** Run the daemon and the operator's commands as this user (tests as root only). */
  as?: Owner
  /** An existing folder to make it in (a mounted image), instead of one of its own. */
  base?: string
  /** A folder that already holds an organisation made by this driver: nothing is written, it is only run. */
  existing?: string
  /** Root only: the daemon sees this boot id, as after a restart of the machine. */
  bootId?: string
  /** More options of Node for the daemon alone. */
  node?: readonly string[]
  /** Root only: the daemon has a mount namespace of its own, to be changed with nsenter(1). */
  ownMounts?: boolean
}>

export type Dropped = Readonly<{ path: string; at: number }>

export type Organisation = Readonly<{
  root: string
  base: string
  at: (...path: string[]) => string
  /** Starts the daemon and waits until `penny status` says that mail is admitted. */
  up: () => Promise<void>
  /** Starts it and returns at once. */
  launch: () => ChildProcess
  /** Sends a signal and waits for the end. */
  end: (signal?: NodeJS.Signals) => Promise<Ended>
  running: () => boolean
  pid: () => number
  log: () => string
  penny: (args: readonly string[], how?: Command) => Promise<Ended>
  /** The objects that a command prints with --json. */
  json: (args: readonly string[], how?: Command) => Promise<Record<string, unknown>[]>
  /** A whole file in one step: written beside the organisation and renamed in. The time is that of the rename. */
  drop: (path: string, text: string | Buffer, owner?: Owner) => Dropped
  /** A shell script as that holder, in its workspace; $1 … are the arguments. Throws where it fails. */
  as: (holder: string, script: string, ...args: string[]) => Promise<string>
  /** Who owns a holder's folders; undefined where everything belongs to one user and that is us. */
  owner: (holder: string) => Owner | undefined
}>

export function run(argv: readonly string[], how: Command = {}): Promise<Ended> {
  const start = performance.now()
  const [program = '', ...rest] = argv
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { ...how.as, cwd: how.cwd, env: { ...process.env, ...how.env }, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    const bound = setTimeout(() => child.kill('SIGKILL'), how.boundMs ?? 60_000)
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdin.on('error', () => undefined)
    child.stdin.end(how.input ?? '')
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(bound)
      resolve({ status, signal, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8'), ms: performance.now() - start })
    })
  })
}

function make(path: string, text: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
}

function writePolicies(root: string, shape: Shape): void {
  const policies = join(root, 'policies')
  make(join(policies, 'org.yaml'), `name: acme\npostmaster: operator\n${shape.org ?? ''}`)
  const people = { operator: 'notify: []\n', ...shape.people }
  for (const [name, lines] of Object.entries(people)) make(join(policies, 'people', `${name}.md`), `---\n${lines}---\n${name}\n`)
  const agents = shape.agents ?? { legal: '', pmo: '' }
  for (const [name, lines] of Object.entries(agents))
    make(join(policies, 'agents', `${name}.md`), `---\ntitle: ${name} of acme\n${lines}---\nYou are ${name}.\n`)
  for (const [path, text] of Object.entries(shape.policies ?? {})) make(join(policies, path), text, path.startsWith('runners/') ? 0o755 : 0o644)
}

/** What a test that fails should show of the daemon. */
function tail(text: string, lines: number): string {
  return text.split('\n').slice(-lines).join('\n')
}

/** A fix as a person pastes it: in the root, with an editor that leaves everything as it is. */
export function paste(org: Pick<Organisation, 'root'>, fix: string | undefined): Promise<Ended> {
  const script = `penny() { '${process.execPath}' '${PENNY}' "$@"; }\n${fix}`
  return run(['/bin/sh', '-c', script], { cwd: org.root, env: { NO_COLOR: '1', PENNY_ROOT: org.root, EDITOR: 'true' } })
}

export async function organisation(t: Test, shape: Shape = {}): Promise<Organisation> {
  tap.setTimeout(240_000)
  if (!existsSync(PENNY)) throw new Error(`${PENNY} is not built: npm run build`)
  const scratch = mkdtempSync(join(tmpdir(), 'penny-e2e-'))
  chmodSync(scratch, 0o755)
  const base = shape.existing ?? shape.base ?? scratch
  const root = join(base, 'org')
  const logFile = join(scratch, 'daemon.log')
  if (!shape.existing) {
    writePolicies(root, shape)
    mkdirSync(join(base, 'stage'))
  }
  writeFileSync(logFile, '')
  if (shape.as) {
    const { uid, gid } = shape.as
    const given = await run(['chown', '-R', `${uid}:${gid}`, base])
    if (given.status !== 0) throw new Error(given.err)
  }
  const rebooted: string[] = []
  if (shape.bootId) {
    // the daemon gets a mount namespace of its own, in which another file lies over the kernel's
    const file = join(scratch, 'boot_id')
    writeFileSync(file, `${shape.bootId}\n`)
    rebooted.push('unshare', '--mount', 'sh', '-c', `mount --bind '${file}' /proc/sys/kernel/random/boot_id && exec "$@"`, 'sh')
  } else if (shape.ownMounts) {
    const { uid, gid } = shape.as ?? { uid: 0, gid: 0 }
    rebooted.push('unshare', '--mount', 'setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--')
  }
  let daemon: ChildProcess | undefined
  let ended: Promise<Ended> | undefined
  let staged = 0

  function launch(): ChildProcess {
    const log = openSync(logFile, 'a')
    const start = performance.now()
    const [program = '', ...args] = [...rebooted, process.execPath, ...(shape.node ?? []), PENNY, 'up', '--root', root]
    // Only root gets a mount namespace; from there it goes on as that user.
    const child = spawn(program, args, { ...(shape.ownMounts ? {} : shape.as), cwd: scratch, stdio: ['ignore', 'ignore', log] })
    closeSync(log)
    daemon = child
    const atExit = (): void => void child.kill('SIGKILL')
    process.once('exit', atExit)
    ended = new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', (status, signal) => {
        process.removeListener('exit', atExit)
        if (daemon === child) daemon = undefined
        resolve({ status, signal, out: '', err: readFileSync(logFile, 'utf8'), ms: performance.now() - start })
      })
    })
    return child
  }

  async function end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (!daemon || !ended) throw new Error(`the daemon is not running:\n${tail(readFileSync(logFile, 'utf8'), 20)}`)
    const child = daemon
    const start = performance.now()
    child.kill(signal)
    const forced = setTimeout(() => child.kill('SIGKILL'), 20_000)
    const how = await ended
    clearTimeout(forced)
    return { ...how, ms: performance.now() - start }
  }

  const penny: Organisation['penny'] = (args, how = {}) =>
    run([process.execPath, PENNY, ...args], { ...how, as: how.as ?? shape.as, cwd: how.cwd ?? root, env: { NO_COLOR: '1', PENNY_ROOT: root, ...how.env } })

  async function up(): Promise<void> {
    launch()
    const start = performance.now()
    // To ask costs as much as to start: not before somebody could answer. One that was killed has left its socket.
    while (daemon && !existsSync(join(root, '.penny/run/daemon.sock')) && performance.now() - start < 30_000) await pause(10)
    for (;;) {
      const status = await penny(['status', '--root', root])
      if (status.status === 0) return
      if (!daemon) throw new Error(`penny up ended:\n${tail(readFileSync(logFile, 'utf8'), 20)}`)
      if (performance.now() - start > 30_000) throw new Error(`not up within 30 s; penny status says ${status.status}: ${status.err}${status.out}`)
      await pause(50)
    }
  }

  const owner: Organisation['owner'] = (holder) => {
    if (!AM_ROOT) return undefined
    const { uid, gid } = statSync(join(root, 'workspaces', holder, 'outbox'))
    return { uid, gid }
  }

  function drop(path: string, text: string | Buffer, given?: Owner): Dropped {
    const from = join(base, 'stage', String(staged++))
    const outbox = /^workspaces\/([^/]+)\//.exec(path)
    const who = given ?? (outbox ? owner(outbox[1] ?? '') : shape.as)
    writeFileSync(from, text)
    if (who) chownSync(from, who.uid, who.gid)
    if (existsSync(join(root, path))) throw new Error(`${path} is still there: dropping over it would be the test's own loss`)
    renameSync(from, join(root, path))
    return { path: join(root, path), at: performance.now() }
  }

  async function as(holder: string, script: string, ...args: string[]): Promise<string> {
    const done = await run(['/bin/sh', '-c', `set -e; ${script}`, 'sh', ...args], { as: owner(holder), cwd: join(root, 'workspaces', holder) })
    if (done.status !== 0) throw new Error(`as ${holder}: ${script}: ${done.status ?? done.signal} ${done.err}`)
    return done.out
  }

  t.teardown(async () => {
    if (daemon) await end()
    if (!t.passing()) t.comment(`daemon.log ends:\n${tail(readFileSync(logFile, 'utf8'), 40)}`)
    if (process.env['PENNY_TEST_KEEP']) t.comment(`kept: ${base}`)
    else {
      // Whoever is not root is kept out by what an attacker shut.
      if (!AM_ROOT) spawnSync('chmod', ['-R', 'u+rwX', scratch])
      rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
    }
  })

  return {
    root,
    base,
    at: (...path) => join(root, ...path),
    up,
    launch,
    end,
    running: () => daemon !== undefined,
    pid: () => {
      if (daemon?.pid === undefined) throw new Error('the daemon is not running')
      return daemon.pid
    },
    log: () => readFileSync(logFile, 'utf8'),
    penny,
    json: async (args, how) => jsonLines((await penny([...args, '--json'], how)).out),
    drop,
    as,
    owner,
  }
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export type Accounting = Readonly<
  Record<'drops' | 'admitted' | 'held' | 'repeats' | 'copies' | 'open' | 'in_progress' | 'blocked' | 'settled' | 'notes', number>
>

/** The accounting line of `penny status --json`: the words of the line are the keys, wherever in the object they stand. */
export async function accounting(org: Organisation): Promise<Accounting> {
  const objects = await org.json(['status', '--root', org.root])
  const sums = { drops: ['drops', 'admitted', 'held', 'repeats'], copies: ['copies', 'open', 'in_progress', 'blocked', 'settled', 'notes'] } as const
  const find = (value: unknown, keys: readonly string[]): Record<string, number> | undefined => {
    if (typeof value !== 'object' || value === null) return undefined
    const object = value as Record<string, unknown>
    if (keys.every((key) => typeof object[key] === 'number')) return object as Record<string, number>
    return Object.values(object)
      .map((inner) => find(inner, keys))
      .find((found) => found !== undefined)
  }
  const numbers = Object.values(sums).flatMap((keys) => {
    const found = find(objects, keys)
    if (!found) throw new Error(`penny status --json has no accounting line: ${JSON.stringify(objects)}`)
    return keys.map((key) => [key, found[key]] as const)
  })
  return Object.fromEntries(numbers) as Accounting
}

/** Both sums of the accounting line hold. */
export function isTrue(a: Accounting): boolean {
  return a.drops === a.admitted + a.held + a.repeats && a.copies === a.open + a.in_progress + a.blocked + a.settled + a.notes
}
