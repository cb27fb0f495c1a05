import { appendFileSync, readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Name } from '../../src/core/names.ts'
import { type Entry, type Ledger, openLedger, readLedger } from '../../src/gateway/index.ts'
import type { Disk, Log } from '../../src/system/types.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'
import { breakable, fails } from '../journal/ground.ts'

const START = Date.UTC(2030, 0, 1, 12)
const DAY_MS = 86_400_000

type Ground = Readonly<{
  folder: string
  clock: HandClock
  said: string[]
  open: (disk?: Disk) => Ledger
  entry: (more?: Partial<Entry>) => Entry
  read: () => (string | undefined)[]
}> &
  ReturnType<typeof breakable>

function ground(t: Test): Ground {
  const folder = t.testdir()
  let busy = 0
  const clock = makeHandClock(START, () => busy === 0)
  const said: string[] = []
  const log: Log = (level, what) => void said.push(`${level} ${what}`)
  const broken = breakable()
  // Time stands still while the medium works.
  const counted = async (work: Promise<void>): Promise<void> => {
    busy++
    try {
      await work
    } finally {
      busy--
    }
  }
  const { syncData, syncPath } = broken.disk
  const disk: Disk = { ...broken.disk, syncData: async (fd) => counted(syncData(fd)), syncPath: async (path) => counted(syncPath(path)) }
  return {
    folder,
    clock,
    said,
    ...broken,
    disk,
    open: (its = disk) => openLedger({ disk: its, clock, log, folder, keepMs: () => 30 * DAY_MS }),
    entry: (more = {}) => ({
      at: new Date(clock.now()).toISOString(),
      agent: 'legal' as Name,
      status: 200,
      inputTokens: 1,
      cacheWriteTokens: 2,
      cacheReadTokens: 3,
      outputTokens: 4,
      queueMs: 5,
      ms: 6,
      tries: 1,
      ...more,
    }),
    read: () => [...readLedger(disk, folder)].map(({ requestId }) => requestId),
  }
}

t.test('each request is a line of its day, read back as it was', async (t) => {
  const { open, entry, folder, clock, disk } = ground(t)
  const ledger = open()
  const first = entry({ requestId: 'req_1', model: 'a\n"b"', usd: 0.25, session: 's', message: 'm', provider: 'main' })
  ledger.record(first)
  t.same([...readLedger(disk, folder)], [first], 'it is there at once')
  await clock.turn(DAY_MS)
  const second = entry({ requestId: 'req_2' })
  ledger.record(second)
  t.same(readdirSync(folder), ['2030-01-01.jsonl', '2030-01-02.jsonl'])
  t.same([...readLedger(disk, folder)], [first, second])
  t.same([...readLedger(disk, folder, { fromMs: START + 1 })], [second])
  t.same([...readLedger(disk, folder, { toMs: START + DAY_MS })], [first])
  await ledger.close()
})

t.test('a second later it is on the medium, with the name of a new file', async (t) => {
  const { open, entry, clock, calls } = ground(t)
  const ledger = open()
  ledger.record(entry())
  t.same([calls.get('syncData') ?? 0, calls.get('syncPath') ?? 0], [0, 0])
  await clock.turn(1_000)
  t.same([calls.get('syncData'), calls.get('syncPath')], [1, 1])
  ledger.record(entry())
  await clock.turn(1_000)
  t.same([calls.get('syncData'), calls.get('syncPath')], [2, 1])
  await clock.turn(60_000)
  t.equal(calls.get('syncData'), 2, 'nothing is done for nothing')
  await ledger.close()
})

t.test('a line that a crash cut anywhere is passed over and told; those before and after it stand', async (t) => {
  const { open, entry, folder, disk } = ground(t)
  const path = `${folder}/2030-01-01.jsonl`
  const whole = ['a', 'b', 'c'].map((requestId) => JSON.stringify(entry({ requestId })))
  const text = `${whole.join('\n')}\n`
  for (let cut = 0; cut <= text.length; cut++) {
    writeFileSync(path, text.slice(0, cut))
    const ledger = open()
    ledger.record(entry({ requestId: 'z' }))
    const spoiled: number[] = []
    const read = [...readLedger(disk, folder, { spoiled: (_, at) => spoiled.push(at) })].map(({ requestId }) => requestId)
    // A line lacks nothing once its last bracket is there.
    const stood = ['a', 'b', 'c'].filter((_, n) => cut >= whole.slice(0, n + 1).join('\n').length)
    const isTorn = cut > 0 && text[cut - 1] !== '\n' && !(text[cut] === '\n')
    if (read.join() !== [...stood, 'z'].join() || spoiled.length !== (isTorn ? 1 : 0))
      t.fail(`cut at ${cut}: read ${read.join()}, spoiled at ${spoiled.join()}`)
    await ledger.close()
  }
  t.pass(`${text.length + 1} cuts`)
})

t.test('who reads while a line is being written does not see half of it', async (t) => {
  const { entry, folder, read } = ground(t)
  const path = `${folder}/2030-01-01.jsonl`
  writeFileSync(path, `${JSON.stringify(entry({ requestId: 'a' }))}\n`)
  appendFileSync(path, JSON.stringify(entry({ requestId: 'b' })).slice(0, 50))
  t.same(read(), ['a'])
})

t.test('what is no entry is passed over: zeros of a power cut, other shapes, counts that are none', async (t) => {
  const { entry, folder, disk } = ground(t)
  const bad = ['\0'.repeat(5_000), '{}', '[]', 'null', '7', '"a"', ...[{ at: 'never' }, { agent: '../x' }, { inputTokens: -1 }, { outputTokens: '4' }, { usd: 'x' }, { tries: null }].map((more) => JSON.stringify({ ...entry(), ...more }))] // biome-ignore format: one row
  writeFileSync(`${folder}/2030-01-01.jsonl`, [...bad, JSON.stringify(entry({ requestId: 'good' })), ''].join('\n'))
  let spoiled = 0
  t.same(
    [...readLedger(disk, folder, { spoiled: () => spoiled++ })].map(({ requestId }) => requestId),
    ['good'],
  )
  t.equal(spoiled, bad.length)
})

t.test('while the disk refuses, wherever in a line, nothing is lost and nothing is there twice', async (t) => {
  const { open, entry, folder, clock, disk, read, said } = ground(t)
  const length = JSON.stringify(entry({ requestId: 'b' })).length + 1
  for (let half = 0; half <= length; half += 7) {
    for (const name of readdirSync(folder)) unlinkSync(`${folder}/${name}`)
    said.length = 0
    let isFull = false
    const ledger = open({
      ...disk,
      append: (fd, data) => {
        if (!isFull) return disk.append(fd, data)
        disk.append(fd, Buffer.from(data as Buffer).subarray(0, half))
        throw Object.assign(new Error('ENOSPC: full'), { code: 'ENOSPC' })
      },
    })
    ledger.record(entry({ requestId: 'a' }))
    isFull = true
    for (const requestId of ['b', 'c', 'd']) ledger.record(entry({ requestId }))
    t.match(ledger.report(), { waiting: 3, lost: 0, why: /ENOSPC/ })
    await clock.turn(3_000)
    isFull = false
    await clock.turn(1_000)
    t.same(read(), ['a', 'b', 'c', 'd'], `after ${half} bytes`)
    t.same(ledger.report(), { waiting: 0, lost: 0, why: undefined })
    t.same(said, ['error the gateway cannot write its ledger, and tries again', 'info the gateway writes its ledger again'], 'said once each')
    await ledger.close()
  }
})

t.test('a file that somebody removed to make room is begun anew', async (t) => {
  const { open, entry, folder, clock, read, breaks } = ground(t)
  const ledger = open()
  ledger.record(entry({ requestId: 'a' }))
  breaks.append = fails('ENOSPC')
  ledger.record(entry({ requestId: 'b' }))
  unlinkSync(`${folder}/2030-01-01.jsonl`)
  delete breaks.append
  await clock.turn(1_000)
  t.same(read(), ['b'])
  t.equal(ledger.report().why, undefined)
  await ledger.close()
})

t.test('what waits for a disk is bounded, and what is lost is counted', async (t) => {
  const { open, entry, breaks, clock, read } = ground(t)
  breaks.openAppend = fails('EROFS')
  const ledger = open()
  for (let n = 0; n < 10_005; n++) ledger.record(entry({ requestId: String(n) }))
  t.match(ledger.report(), { waiting: 10_000, lost: 5, why: /EROFS/ })
  delete breaks.openAppend
  await clock.turn(1_000)
  t.same(read()[0], '5')
  t.equal(read().length, 10_000)
  await ledger.close()
})

t.test('a medium that fails is tried again, and who waited for it is told', async (t) => {
  const { open, entry, breaks, calls, clock, said } = ground(t)
  breaks.syncData = fails('EIO')
  const ledger = open()
  ledger.record(entry())
  await t.rejects(ledger.sync(), { code: 'EIO' })
  t.match(ledger.report().why, /EIO/)
  delete breaks.syncData
  const before = calls.get('syncData') ?? 0
  await clock.turn(2_000)
  t.equal(calls.get('syncData'), before + 1, 'the same bytes once more')
  t.equal(ledger.report().why, undefined)
  t.match(said.at(-1), /^info/)
  await ledger.close()
})

t.test('an agent that gives up request after request does not fill the disk; what was sent is always recorded', async (t) => {
  const { open, entry, read, clock, said } = ground(t)
  const ledger = open()
  for (let n = 0; n < 10_100; n++) ledger.record(entry({ status: 499, tries: 0, requestId: 'unsent' }))
  ledger.record(entry({ requestId: 'sent' }))
  ledger.record(entry({ agent: 'ops' as Name, status: 499, tries: 0, requestId: 'other' }))
  t.equal(read().length, 10_002)
  t.same(read().slice(-2), ['sent', 'other'])
  t.same(ledger.report(), { waiting: 0, lost: 100, why: undefined })
  t.equal(said.filter((what) => what.startsWith('warn')).length, 1)
  await clock.turn(DAY_MS)
  ledger.record(entry({ status: 499, tries: 0, requestId: 'tomorrow' }))
  t.equal(read().at(-1), 'tomorrow')
  await ledger.close()
})

t.test('days past the retention time go; other files are left alone', async (t) => {
  const { open, entry, folder, clock } = ground(t)
  for (const name of ['2029-12-01.jsonl', '2029-12-02.jsonl', '2029-12-03.jsonl', 'notes.txt', '2029-01-01.jsonl.bak']) writeFileSync(`${folder}/${name}`, '')
  const ledger = open()
  ledger.record(entry())
  t.same(readdirSync(folder).sort(), ['2029-01-01.jsonl.bak', '2029-12-02.jsonl', '2029-12-03.jsonl', '2030-01-01.jsonl', 'notes.txt'])
  await clock.turn(DAY_MS)
  ledger.record(entry())
  t.notOk(readdirSync(folder).includes('2029-12-02.jsonl'))
  await ledger.close()
})

t.test('whatever the order of days, crashes and refusals, each line that was recorded is read once', async (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant('record' as const) },
    { weight: 2, arbitrary: fc.constant('break' as const) },
    { weight: 2, arbitrary: fc.constant('mend' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 1, arbitrary: fc.constant('tear' as const) },
    { weight: 1, arbitrary: fc.constant('back' as const) },
    { weight: 1, arbitrary: fc.constant('next day' as const) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { open, entry, folder, clock, disk, breaks, read } = ground(t)
      for (const name of readdirSync(folder)) unlinkSync(`${folder}/${name}`)
      let ledger = open()
      const recorded: string[] = []
      for (const [n, what] of steps.entries()) {
        if (what === 'record') {
          ledger.record(entry({ requestId: String(n) }))
          recorded.push(String(n))
        } else if (what === 'break') breaks.append = fails('ENOSPC')
        else if (what === 'mend') delete breaks.append
        else if (what === 'back') clock.step(-DAY_MS)
        else if (what === 'next day') clock.step(DAY_MS)
        else {
          delete breaks.append
          await ledger.close()
          if (what === 'tear') for (const name of readdirSync(folder)) appendFileSync(`${folder}/${name}`, '{"at":"2030')
          ledger = open(disk)
        }
      }
      delete breaks.append
      await ledger.close()
      const found = read()
      if (found.length !== recorded.length || recorded.some((one) => !found.includes(one))) throw new Error(`recorded ${recorded.join()}, read ${found.join()}`)
    }),
    { numRuns: 60 },
  )
})

t.test('a year of lines is read piece by piece', async (t) => {
  const { entry, folder, disk, calls } = ground(t)
  const line = JSON.stringify(entry())
  for (let day = 0; day < 365; day++) {
    const at = new Date(START + day * DAY_MS).toISOString()
    writeFileSync(`${folder}/${at.slice(0, 10)}.jsonl`, `${line.replace(entry().at, at)}\n`.repeat(3_000))
  }
  const lines = readLedger(disk, folder)
  lines.next()
  t.same([calls.get('openRead'), calls.get('read')], [1, 1], 'the first line costs one piece of one file')
  lines.return(undefined)
  t.equal(calls.get('close'), 1)
  const [before, most] = [process.memoryUsage().heapUsed, 128 * 1024 ** 2]
  let count = 0
  let highest = 0
  for (const _ of readLedger(disk, folder)) if (++count % 50_000 === 0) highest = Math.max(highest, process.memoryUsage().heapUsed - before)
  t.equal(count, 365 * 3_000)
  t.ok(highest < most, `${Math.round(highest / 1024 ** 2)} MB for ${Math.round((count * line.length) / 1024 ** 2)} MB of lines`)
})

t.test('a folder that is not there yet is an empty ledger, and a day that goes meanwhile is passed over', async (t) => {
  const { disk, folder, entry } = ground(t)
  t.same([...readLedger(disk, `${folder}/none`)], [])
  for (const day of ['2030-01-01', '2030-01-02', '2030-01-03']) writeFileSync(`${folder}/${day}.jsonl`, `${JSON.stringify(entry({ requestId: day }))}\n`)
  const lines = readLedger(disk, folder)
  t.equal(lines.next().value?.requestId, '2030-01-01')
  unlinkSync(`${folder}/2030-01-02.jsonl`)
  t.equal(lines.next().value?.requestId, '2030-01-03')
  t.equal(lines.next().done, true)
  truncateSync(`${folder}/2030-01-03.jsonl`)
  t.equal(readFileSync(`${folder}/2030-01-03.jsonl`, 'utf8'), '')
})
