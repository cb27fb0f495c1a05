import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { openSegments } from '../../src/journal/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable, fails } from './ground.ts'

const LIMITS = { lines: 5, bytes: 1_000, ageMs: 60_000 }
const START = { segment: 0, offset: 0 }

function open(folder: string, clock = handClock(Date.UTC(2030, 0, 1))) {
  const ground = breakable()
  const segments = openSegments(ground.disk, clock, folder, LIMITS)
  const lines = (): string[] => [...segments.read(START)].map(([line]) => line)
  return { ...ground, clock, segments, lines }
}

t.test('a last line that was cut off by a crash is cut away, and the log goes on after the whole ones', async (t) => {
  const folder = t.testdir()
  const first = open(folder)
  first.segments.append('one')
  await first.segments.close()
  const [file = ''] = readdirSync(folder)
  appendFileSync(`${folder}/${file}`, 'tw')
  const second = open(folder)
  t.same(second.lines(), ['one'])
  second.segments.append('two')
  await second.segments.close()
  t.equal(readFileSync(`${folder}/${file}`, 'utf8'), 'one\ntwo\n')
})

t.test('a full disk leaves the log as it was, and the lines come with the next flush', async (t) => {
  const folder = t.testdir()
  const { segments, breaks, lines, disk } = open(folder)
  segments.append('one')
  segments.flush()
  breaks.append = () => {
    const [file = ''] = readdirSync(folder)
    appendFileSync(`${folder}/${file}`, 'half a li')
    fails('ENOSPC')()
  }
  segments.append('two')
  t.throws(() => segments.flush(), { code: 'ENOSPC' })
  t.equal(disk.readFile(`${folder}/${readdirSync(folder)[0]}`).toString(), 'one\n')
  delete breaks.append
  await segments.sync()
  t.same(lines(), ['one', 'two'])
  await segments.close()
})

t.test('a full disk met at the end of a turn does not end the process: sync tells of it', async (t) => {
  const { segments, breaks, lines } = open(t.testdir())
  breaks.append = fails('ENOSPC')
  segments.append('one')
  await new Promise((resolve) => setImmediate(resolve))
  await t.rejects(segments.sync(), { code: 'ENOSPC' })
  delete breaks.append
  await segments.sync()
  t.same(lines(), ['one'])
  await segments.close()
})

t.test('a segment that cannot be begun is begun later, and the one before is closed once', async (t) => {
  const folder = t.testdir()
  const { segments, breaks, lines } = open(folder)
  for (const line of ['1', '2', '3', '4', '5']) {
    segments.append(line)
    segments.flush()
  }
  breaks.openAppend = fails('EMFILE')
  segments.append('6')
  t.throws(() => segments.flush(), { code: 'EMFILE' })
  t.throws(() => segments.flush(), { code: 'EMFILE' })
  delete breaks.openAppend
  await segments.sync()
  t.same(segments.list(), [1, 2])
  t.same(lines(), ['1', '2', '3', '4', '5', '6'])
  await segments.close()
})

t.test('segments end after so many lines, so many bytes, or so much time', async (t) => {
  const folder = t.testdir()
  const { segments, clock, lines } = open(folder)
  const write = (line: string): void => {
    segments.append(line)
    segments.flush()
  }
  for (let i = 0; i < 6; i++) write(String(i))
  t.same(segments.list(), [1, 2], 'after five lines')
  write('x'.repeat(2_000))
  write('after many bytes')
  t.same(segments.list(), [1, 2, 3])
  clock.turn(60_000)
  write('after a minute')
  t.same(segments.list(), [1, 2, 3, 4])
  t.equal(lines().length, 9)
  t.match(readdirSync(folder).at(-1), /^00000004-20300101T000100Z\.jsonl$/)
  await segments.close()
})

t.test('many who wait are served by few calls, and nobody before its line is on the medium', async (t) => {
  const { segments, disk, calls } = open(t.testdir())
  let durable = ''
  const onMedium = (): void => {
    durable = segments
      .list()
      .map((segment) => disk.readFile(segments.file(segment)?.path ?? '').toString())
      .join('')
  }
  const real = disk.syncData
  // The medium has what was there when the call began, and only once it returns.
  Object.assign(disk, {
    syncData: async (fd: number) => {
      const had = segments.list().map((segment) => disk.readFile(segments.file(segment)?.path ?? '').toString())
      await real(fd)
      durable = had.join('')
    },
  })
  const writers = Array.from({ length: 60 }, async (_, i) => {
    for (let turn = 0; turn < i % 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    segments.append(`line ${i};`)
    await segments.sync()
    t.ok(durable.includes(`line ${i};`), `line ${i} is durable when its writer is told so`)
  })
  await Promise.all(writers)
  t.ok((calls.get('syncData') ?? 0) < 60, `${calls.get('syncData')} calls for 60 lines`)
  onMedium()
  await segments.close()
})

t.test('after a sync that failed the next one does it all again', async (t) => {
  const { segments, breaks, calls } = open(t.testdir())
  breaks.syncData = fails('EIO')
  segments.append('one')
  await t.rejects(segments.sync(), { code: 'EIO' })
  delete breaks.syncData
  const before = calls.get('syncData') ?? 0
  await segments.sync()
  t.equal(calls.get('syncData'), before + 1)
  await segments.close()
})

t.test('whatever was appended is read again in its order, over any number of restarts', async (t) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.array(
          fc.string({ minLength: 1, maxLength: 40 }).map((text) => JSON.stringify(text)),
          { maxLength: 12 },
        ),
        { maxLength: 5 },
      ),
      async (lives) => {
        const folder = t.testdir({ [`run-${++run}`]: {} })
        for (const lines of lives) {
          const { segments } = open(`${folder}/run-${run}`)
          for (const line of lines) segments.append(line)
          await segments.close()
        }
        const { lines, segments } = open(`${folder}/run-${run}`)
        const found = lines()
        await segments.close()
        return JSON.stringify(found) === JSON.stringify(lives.flat())
      },
    ),
    { numRuns: 30 },
  )
})
