import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import tap, { type Test } from 'tap'
import { accounting, isTrue, type Organisation, organisation } from '../e2e/driver.ts'
import { alertOf, filesIn, lettersOf, message, pause, until } from '../e2e/files.ts'
import { mountTmpfs, whyNot, workplace } from './image.ts'

const COUNT = 30
const body = (n: number): string => `message ${n}\n${'x'.repeat(20_000)}`

/** Written while there is room, in a folder nobody watches; renaming them in takes no room. */
function prepare(point: string): void {
  mkdirSync(join(point, 'ready'))
  chmodSync(join(point, 'ready'), 0o755)
  for (let n = 0; n < COUNT; n++) writeFileSync(join(point, 'ready', `m-${n}.md`), message({ subject: `message ${n}` }, body(n)))
}

function fillBytes(point: string): void {
  const fd = openSync(join(point, 'filler'), 'a')
  for (const size of [65536, 4096]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size))
    } catch {
      // full to the last block of this size
    }
  }
  closeSync(fd)
}

function fillInodes(point: string): void {
  mkdirSync(join(point, 'many'))
  try {
    for (let n = 0; ; n++) writeFileSync(join(point, 'many', String(n)), '')
  } catch {
    // no inode is left
  }
}

async function fullAndFree(t: Test, org: Organisation, point: string, fill: (point: string) => void, free: () => void): Promise<void> {
  prepare(point)
  fill(point)
  for (const file of readdirSync(join(point, 'ready'))) renameSync(join(point, 'ready', file), org.at('spool/legal', file))
  await pause(4000)
  t.ok(org.running(), 'the daemon lives on')
  const status = await org.penny(['status'])
  t.match(`${status.out}${status.err}`, /disk|full|room|space/i, 'penny status says what is wrong')
  const alerts = await org.json(['alerts'])
  t.match(
    alerts.filter(({ code }) => code === 'disk-full'),
    [{ severity: 'critical', fix: /df -[hi] / }],
    'penny alerts tells it, written or not',
  )
  for (const [, path = ''] of status.out.matchAll(/! disk-full .* cat (\S+)/g)) t.ok(existsSync(path), 'and status names no file that is not there')
  const delivered = lettersOf(org.root, 'legal')
  const waiting = filesIn(org.at('spool/legal')).length
  t.comment(`${delivered.length} delivered, ${waiting} waiting while full`)
  for (const letter of delivered) t.ok(/^message \d+\nx{20000}$/.test(letter.body.toString()), `${letter.file}: what is delivered is whole`)
  free()
  const letters = await until(
    'all of them once there is room',
    () => {
      const all = lettersOf(org.root, 'legal')
      return all.length >= COUNT && all
    },
    30_000,
  )
  t.equal(letters.length, COUNT, 'none twice')
  t.equal(new Set(letters.map((one) => one.head.get('subject'))).size, COUNT)
  t.same(
    letters.filter((one) => one.body.toString() !== body(Number(one.head.get('subject')?.split(' ')[1]))).map((one) => one.file),
    [],
    'none damaged',
  )
  await until('the alert is closed with its cause', () => !alertOf(org.root, 'disk-full'), 65_000)
  await until('no drop is left', () => filesIn(org.at('spool/legal')).length === 0)
  const line = await accounting(org)
  t.ok(isTrue(line) && line.copies === COUNT, JSON.stringify(line))
}

const skip = { skip: (await whyNot()) ?? false }

tap.test('a full disk: drops wait where they are, the daemon lives, and each message comes once when there is room', skip, async (t) => {
  const point = await mountTmpfs(await workplace(t), 'size=24m')
  const org = await organisation(t, { base: point })
  await org.up()
  await fullAndFree(t, org, point, fillBytes, () => rmSync(join(point, 'filler')))
})

tap.test('no inodes left: the same', skip, async (t) => {
  const point = await mountTmpfs(await workplace(t), 'size=24m,nr_inodes=900')
  const org = await organisation(t, { base: point })
  await org.up()
  await fullAndFree(t, org, point, fillInodes, () => rmSync(join(point, 'many'), { recursive: true }))
})

tap.test('a disk nearly full: the alert is there within 2 s', skip, async (t) => {
  const point = await mountTmpfs(await workplace(t), 'size=24m')
  const org = await organisation(t, { base: point })
  await org.up()
  prepare(point)
  fillBytes(point)
  // room for an alert, not for the messages
  truncateSync(join(point, 'filler'), statSync(join(point, 'filler')).size - 64 * 1024)
  for (const file of readdirSync(join(point, 'ready'))) renameSync(join(point, 'ready', file), org.at('spool/legal', file))
  const dropped = performance.now()
  await until('disk-full', () => alertOf(org.root, 'disk-full'))
  // 2 s; + 1 s for a loaded machine
  t.ok(performance.now() - dropped < 3000, 'within 2 s')
  rmSync(join(point, 'filler'))
  await until('all of them', () => lettersOf(org.root, 'legal').length === COUNT, 30_000)
})

tap.test('a daemon killed on a full disk starts on it again, and nothing is lost', skip, async (t) => {
  const point = await mountTmpfs(await workplace(t), 'size=24m')
  const org = await organisation(t, { base: point })
  await org.up()
  prepare(point)
  fillBytes(point)
  for (const file of readdirSync(join(point, 'ready'))) renameSync(join(point, 'ready', file), org.at('spool/legal', file))
  await pause(300)
  await org.end('SIGKILL')
  org.launch()
  await pause(2500)
  const alive = org.running()
  t.comment(alive ? 'it runs on the full disk' : 'it ended with one line and waits to be started again')
  if (!alive) t.match(org.log(), /disk|space|ENOSPC/i, 'it said why it ended')
  rmSync(join(point, 'filler'))
  if (!alive) org.launch()
  await until('all of them', () => lettersOf(org.root, 'legal').length >= COUNT, 30_000)
  t.equal(lettersOf(org.root, 'legal').length, COUNT)
  await until('no drop is left', () => filesIn(org.at('spool/legal')).length === 0)
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === COUNT && line.copies === COUNT, JSON.stringify(line))
})

tap.test('a start on a full disk says that the disk is full, in the background too, where its log takes no more', skip, async (t) => {
  const point = await mountTmpfs(await workplace(t), 'size=24m')
  const org = await organisation(t, { base: point })
  t.match(await org.penny(['up', '--detach']), { status: 0 })
  t.match(await org.penny(['down']), { status: 0 })
  fillBytes(point)
  // What is left of the log's last page is some more bytes.
  const log = openSync(org.at('.penny/run/daemon.log'), 'a')
  try {
    for (;;) writeSync(log, '\n')
  } catch {
    closeSync(log)
  }
  for (const how of [['up'], ['up', '--detach']]) {
    const { status, err } = await org.penny(how)
    t.equal(status, 73, how.join(' '))
    t.match(err, 'the disk is full')
    t.match(err, /\n *fix: df -h; df -i\n$/)
    t.notMatch(err, 'PENNY_ANY_FILESYSTEM')
  }
  const findings = await org.json(['doctor'])
  t.match(
    findings.filter(({ check }) => check === 'file system'),
    [{ outcome: 'wrong', what: /as it is full/, fix: /^df -h / }],
  )
  rmSync(join(point, 'filler'))
  t.match(await org.penny(['up', '--detach']), { status: 0 }, 'and starts when there is room')
  t.match(await org.penny(['down']), { status: 0 })
})
