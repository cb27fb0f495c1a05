/** A process of the attacker's: does what the rows say under its uid, and stays, because open files, locks and leases end with a process. */
import { fork } from 'node:child_process'
import type * as FS from 'node:fs'
import type { Owner } from '../../e2e/driver.ts'
import { hostileProgram } from '../hostile.ts'

type SyncNames = {
  [K in keyof typeof FS]: K extends `${string}Sync` ? ((typeof FS)[K] extends (...args: never[]) => unknown ? K : never) : never
}[keyof typeof FS]
type Path = string | Buffer

type More = Readonly<{
  mkfifo: (path: string) => void
  /** Type and numbers as `mknod` of the shell takes them. */
  mknod: (path: string, type: 'b' | 'c', major: number, minor: number) => void
  listen: (path: string) => void
  /** Opens, writes and does not close. */
  keepOpen: (path: string, flags: string, text?: string | Buffer) => number
  /** Opens to read, closes what was open of it, and takes a lease that forbids everybody else to open it. */
  writeLease: (path: string) => void
  lock: (path: string) => void
  mapped: (path: string, text: string) => void
  /** A message in one step: written in the attacker's own folder and renamed in. */
  drop: (from: string, to: Path, text: string | Buffer) => void
  /** Both names in one step. */
  exchange: (name: string, other: string) => void
  swap: (name: string, other: string, ms: number) => void
  rewrite: (path: string, texts: readonly string[], ms: number) => void
  rename: (path: string, other: string, ms: number) => void
  replace: (path: string, from: string, text: string, ms: number) => void
  append: (path: string, text: string, ms: number) => void
  deep: (path: string, levels: number) => void
}>

export type Hand = Readonly<{
  /** A call of node:fs by its name, there. */
  fs: <K extends SyncNames>(name: K, ...args: Parameters<(typeof FS)[K]>) => Promise<unknown>
  do: <K extends keyof More>(name: K, ...args: Parameters<More[K]>) => Promise<unknown>
  end: () => void
}>

const PROGRAM = `
const net = require('node:net')
const kept = []
process.on('SIGIO', () => undefined)
const calls = {
  mkfifo: libc.func('int mkfifo(const char *path, uint32_t mode)'),
  mknod: libc.func('int mknod(const char *path, uint32_t mode, uint64_t dev)'),
  renameat2: libc.func('int renameat2(int, const char *, int, const char *, uint32_t)'),
  fcntl: libc.func('int fcntl(int fd, int command, int what)'),
  flock: libc.func('int flock(int fd, int how)'),
  mmap: libc.func('void *mmap(void *at, size_t bytes, int prot, int flags, int fd, int64_t from)'),
}
const sure = (result, what) => { if (result !== 0) throw new Error(what + ' was refused: errno ' + koffi.errno()) }
const gone = (act) => { try { act(); return true } catch (cause) { if (!['ENOENT', 'EEXIST', 'EISDIR', 'ENOTDIR', 'EACCES', 'ENXIO', 'EAGAIN'].includes(cause.code)) throw cause; return false } }
const during = (ms, step) => { for (let n = 0, end = Date.now() + ms; Date.now() < end; n++) step(n) }
const more = {
  mkfifo: (path) => sure(calls.mkfifo(path, 0o666), 'mkfifo'),
  mknod: (path, type, major, minor) => { const mask = process.umask(0); try { sure(calls.mknod(path, (type === 'b' ? 0o60000 : 0o20000) | 0o666, (major << 8) | minor), 'mknod') } finally { process.umask(mask) } },
  listen: (path) => new Promise((resolve, reject) => { const server = net.createServer().listen(path, resolve); server.on('error', reject); kept.push(server) }),
  keepOpen: (path, flags, text) => { const fd = fs.openSync(path, flags); kept.push(fd); if (text) fs.writeSync(fd, text); return fd },
  writeLease: (path) => { const fd = fs.openSync(path, 'r'); kept.push(fd); sure(calls.fcntl(fd, 1024, 1), 'a write lease') },
  lock: (path) => { const fd = fs.openSync(path, 'r'); kept.push(fd); sure(calls.flock(fd, 2), 'a lock') },
  mapped: (path, text) => {
    const fd = fs.openSync(path, 'wx+')
    fs.writeSync(fd, text)
    kept.push(calls.mmap(null, text.length, 3, 1, fd, 0))
    fs.closeSync(fd)
  },
  drop: (from, to, text) => { fs.writeFileSync(from, text); fs.renameSync(from, to) },
  exchange: (name, other) => sure(calls.renameat2(-100, name, -100, other, 2), 'an exchange'),
  swap: (name, other, ms) => during(ms, () => calls.renameat2(-100, name, -100, other, 2)),
  rewrite: (path, texts, ms) => during(ms, (n) => gone(() => { const fd = fs.openSync(path, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_TRUNC | fs.constants.O_NONBLOCK, 0o644); try { fs.writeSync(fd, texts[n % texts.length]) } finally { fs.closeSync(fd) } })),
  rename: (path, other, ms) => { during(ms, () => { gone(() => fs.renameSync(path, other)); gone(() => fs.renameSync(other, path)) }) },
  replace: (path, from, text, ms) => during(ms, (n) => { gone(() => fs.unlinkSync(path)); fs.writeFileSync(from, text); gone(() => fs.renameSync(from, path)) }),
  append: (path, text, ms) => during(ms, () => gone(() => fs.appendFileSync(path, text))),
  deep: (path, levels) => { fs.mkdirSync(path); const home = process.cwd(); process.chdir(path); for (let n = 0; n < levels; n++) { fs.mkdirSync('d'.repeat(200)); process.chdir('d'.repeat(200)) } process.chdir(home) },
}
process.on('disconnect', () => process.exit())
process.on('message', async ({ id, name, args }) => {
  try { const value = await (more[name] ?? fs[name])(...args); process.send({ id, value: typeof value === 'number' ? value : undefined }) }
  catch (cause) { process.send({ id, error: name + ': ' + cause.message }) }
})
`

/** `base`: a folder where its program can be laid and read by that uid. */
export function startHand(base: string, as: Owner | undefined): Hand {
  const program = hostileProgram({ base }, 'hand', PROGRAM).split(' ')[1] ?? ''
  const child = fork(program, [], { ...as, cwd: '/', serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (cause: Error) => void }>()
  let last = 0
  child.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
    const { resolve, reject } = asked.get(id) ?? {}
    asked.delete(id)
    if (error === undefined) resolve?.(value)
    else reject?.(new Error(error))
  })
  child.on('exit', (status, signal) => {
    for (const { reject } of asked.values()) reject(new Error(`the hand ended: ${status ?? signal}`))
  })
  const ask = (name: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      asked.set(++last, { resolve, reject })
      child.send({ id: last, name, args }, (cause) => cause && reject(cause))
    })
  return { fs: (name, ...args) => ask(name, args), do: (name, ...args) => ask(name, args), end: () => void child.kill('SIGKILL') }
}
