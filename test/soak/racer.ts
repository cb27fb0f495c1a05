/**
 * The program of a hostile agent that races with the daemon: whatever a name leads to is something else a moment later. What it makes
 * is made under a name of its own and written through its descriptor; what lies under a name that is raced for is never written to,
 * for it may be somebody else's by then. Words: the agent's workspace, the spool, a secret, a folder outside, a seed, seconds.
 */
export const RACER = `
const path = require('node:path')
const [workspace, spool, secret, outside, seedWord, seconds] = process.argv.slice(2)
process.on('SIGIO', () => undefined)
process.umask(0o022)
const fcntl = libc.func('int fcntl(int fd, int command, int what)')
const mkfifo = libc.func('int mkfifo(const char *path, int mode)')
const renameat2 = libc.func('int renameat2(int from, const char *a, int to, const char *b, uint32_t flags)')
const agent = path.basename(workspace)
let state = Number(seedWord) >>> 0
function below(limit) {
  state = (state + 0x9e3779b9) >>> 0
  let mixed = state ^ (state >>> 16)
  mixed = Math.imul(mixed, 0x21f0aaad)
  mixed ^= mixed >>> 15
  mixed = Math.imul(mixed, 0x735a2d97)
  return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 0x100000000) * limit)
}
const pick = (list) => list[below(list.length)]
const outbox = workspace + '/outbox'
let made = 0
const fresh = (folder) => folder + '/.r' + process.pid + '-' + made++
const open = new Set()
const letter = (head) => '---\\nto: ' + agent + '\\nkind: note\\nsubject: ' + agent + ' ' + process.pid + ' ' + made + '\\n' + head + '---\\nhello\\n'
const makers = {
  message: (at) => fs.writeFileSync(at, letter('')),
  attaching: (at) => fs.writeFileSync(at, letter('attach: [' + pick(['a.bin', 'b.bin', 'a.bin, b.bin']) + ']\\n')),
  broken: (at) => fs.writeFileSync(at, pick(['---\\nto ' + agent + '\\n---\\n', '---js\\nprocess.exit()\\n---\\n', '', '---\\nto: nobody-' + made + '\\n---\\n'])),
  toSecret: (at) => fs.symlinkSync(secret, at),
  toFolder: (at) => fs.symlinkSync(outside, at),
  dangling: (at) => fs.symlinkSync(at + '-nothing', at),
  hard: (at) => fs.linkSync(secret, at),
  pipe: (at) => void mkfifo(at, 0o644),
  folder: (at) => { fs.mkdirSync(at); fs.symlinkSync(secret, at + '/new.md') },
  sparse: (at) => { const fd = fs.openSync(at, 'w'); fs.ftruncateSync(fd, 2 ** (10 + below(24))); fs.closeSync(fd) },
  growing: (at) => { const fd = fs.openSync(at, 'w'); fs.writeSync(fd, letter('')); open.add(fd) },
  locked: (at) => { const fd = fs.openSync(at, 'w'); fs.writeSync(fd, letter('')); fs.fchmodSync(fd, 0); fs.closeSync(fd) },
  leased: (at) => { const fd = fs.openSync(at, 'w+'); fs.writeSync(fd, letter('')); fcntl(fd, 1024, 1); open.add(fd) },
}
const names = (folder) => Array.from({ length: 6 }, (_, n) => folder + '/m' + n + '.md')
const spots = [
  ...names(outbox), ...names(spool).map((one) => one.replace('/m', '/' + agent + '-m')), outbox + '/files/a.bin', outbox + '/files/b.bin', outbox + '/stray', outbox + '/draft.tmp',
  ...names(workspace + '/new'), workspace + '/done/m0.md',
]
function put() {
  const spot = pick(spots)
  const from = fresh(path.dirname(spot))
  makers[pick(Object.keys(makers))](from)
  if (below(3) === 0) return void renameat2(-100, from, -100, spot, 2) || fs.rmSync(from, { recursive: true, force: true })
  try { fs.renameSync(from, spot) } catch { fs.rmSync(spot, { recursive: true, force: true }); fs.renameSync(from, spot) }
}
function mine(folder) {
  const all = fs.readdirSync(folder).filter((name) => !name.startsWith('.r'))
  return all.length === 0 ? undefined : folder + '/' + pick(all)
}
const acts = {
  put,
  again: put,
  more: put,
  exchange: () => void renameat2(-100, pick(spots), -100, pick(spots), 2),
  remove: () => fs.rmSync(pick(spots), { recursive: true, force: true }),
  grow: () => { for (const fd of open) { fs.writeSync(fd, 'more\\n'.repeat(below(200))); if (below(2) === 0) { open.delete(fd); fs.closeSync(fd) } } },
  handle: () => { const one = mine(workspace + '/new'); if (one) fs.renameSync(one, workspace + '/' + pick(['cur', 'done', 'new']) + '/' + path.basename(one)) },
  swapMail: () => { const one = mine(workspace + '/new'); if (one && below(4) === 0) { const from = fresh(workspace + '/new'); fs.symlinkSync(secret, from); renameat2(-100, from, -100, one, 2); fs.rmSync(from, { recursive: true, force: true }) } },
  swapBox: () => {
    if (below(40) > 0) return
    const box = workspace + '/' + pick(['outbox', 'new', 'cur', 'sent', 'attachments', 'outbox/files'])
    fs.renameSync(box, box + '.away')
    fs.symlinkSync(outside, box)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, below(30))
    fs.rmSync(box)
    fs.renameSync(box + '.away', box)
  },
  lock: () => { if (below(40) === 0) { const box = pick([outbox, workspace + '/new', outbox + '/files']); fs.chmodSync(box, 0); setTimeout(() => { try { fs.chmodSync(box, 0o700) } catch {} }, below(60)) } },
}
const verbs = Object.keys(acts)
const end = Date.now() + Number(seconds) * 1000
let done = 0
let refused = 0
function spin() {
  for (let n = 0; n < 40; n++) {
    try { acts[pick(verbs)](); done++ } catch (cause) { if (typeof cause.code !== 'string') throw cause; refused++ }
  }
  if (open.size > 50) for (const fd of open) { open.delete(fd); fs.closeSync(fd) }
  if (Date.now() < end) setImmediate(spin)
  else { console.log(JSON.stringify({ done, refused })); process.exit(0) }
}
spin()
`
