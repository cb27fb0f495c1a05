import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { fails } from '../journal/ground.ts'
import { desk, forged, stray } from './desk.ts'

const HOUR_MS = 3_600_000
const aboutsOf = (open: readonly { about: string }[]): string[] => open.map(({ about }) => about).sort()

t.test('a condition is closed when its cause is gone, one by one or as a whole', async (t) => {
  const { raise, clear, clearAll, open, files, closed, events } = desk(t.testdir())
  for (const about of ['a', 'b', 'c']) raise(stray(about))
  raise(forged('a'))
  clear('unmatched-file', 'a')
  t.same(closed(), ['unmatched-file.a.md'])
  clearAll('unmatched-file', new Set(['c', 'z']))
  t.same(files(), ['forged-sender.a.md', 'unmatched-file.c.md'])
  t.same(
    events.filter(({ state }) => state === 'closed').map(({ about }) => about),
    ['a', 'b'],
  )
  clear('unmatched-file', 'a')
  t.equal(events.length, 6, 'closing what is closed is nothing')
  t.equal(open().length, 2)
})

t.test('a person closes an event by mv, by rm, or by name', async (t) => {
  const { raise, done, sweep, files, closed, events, open, root, clock } = desk(t.testdir())
  for (const about of ['one', 'two', 'three', 'four', 'five-abcd']) raise(forged(about))
  raise(forged('one', { code: 'tampered' }))
  const at = (file: string): string => `${root}/spool/alerts/${file}`
  renameSync(at('forged-sender.one.md'), at('done/forged-sender.one.md'))
  rmSync(at('forged-sender.two.md'))
  clock.turn(2000)
  sweep()
  t.same(
    events
      .filter(({ state }) => state === 'closed')
      .map(({ about }) => about)
      .sort(),
    ['one', 'two'],
  )
  t.equal(done('forged-sender.three.md'), 1)
  t.equal(done('forged-sender.four'), 1)
  t.equal(done('no-such-alert'), 0)
  t.equal(done('bcd'), 0, 'three characters are too few')
  t.equal(done('abcd'), 1, 'a unique ending')
  t.equal(done('one'), 1, 'a key')
  t.same(files(), [])
  t.same(closed(), ['forged-sender.five-abcd.md', 'forged-sender.four.md', 'forged-sender.one.md', 'forged-sender.three.md', 'tampered.one.md'])
  for (const about of ['six', 'seven']) raise(forged(about))
  t.equal(done('all'), 2)
  t.same(open(), [])
  raise(forged('one'))
  t.same(files(), ['forged-sender.one.md'], 'what happens again is raised again')
})

t.test('what happened again before a person closed it, and was not in the file yet, is told all the same', async (t) => {
  const { raise, sweep, files, open, root, clock } = desk(t.testdir())
  const file = 'forged-sender.one.md'
  const close = (): void => renameSync(`${root}/spool/alerts/${file}`, `${root}/spool/alerts/done/${file}`)
  raise(forged('one'))
  clock.turn(300)
  close()
  raise(forged('one'))
  clock.turn(300)
  sweep()
  t.same(files(), [file])
  t.match(open(), [{ count: 2 }])
  clock.turn(2_000)
  close()
  sweep()
  t.same(files(), [], 'closed with all that it says, it stays closed')
})

t.test('an event closes 24 h after it last happened, whatever the wall clock does', async (t) => {
  const { raise, sweep, open, clock } = desk(t.testdir())
  raise(forged('old'))
  raise(forged('again'))
  raise(stray('lasting'))
  clock.step(48 * HOUR_MS)
  sweep()
  t.equal(open().length, 3)
  clock.turn(23 * HOUR_MS)
  raise(forged('again'))
  clock.turn(HOUR_MS)
  sweep()
  t.same(aboutsOf(open()), ['again', 'lasting'])
})

t.test('after a restart events are counted on, and conditions that are not found again within 15 min are closed', async (t) => {
  const before = desk(t.testdir())
  before.raise(forged('a'))
  before.clock.turn(1000)
  before.raise(forged('a'))
  for (const about of ['gone', 'here']) before.raise(stray(about))
  for (let i = 0; i < 30; i++) before.raise(stray(`many/${i}`, { agent: 'cfo' }))
  before.clock.turn(1000)
  before.sweep()
  before.clock.turn(HOUR_MS)
  writeFileSync(`${before.root}/.penny/staging/alert.left-behind`, 'half')
  const { raise, sweep, open, head, clock, events, notified } = before.restart()
  t.equal(open().length, 3 + 21)
  t.same([events, notified], [[], []], 'nobody is told again')
  raise(forged('a'))
  t.equal(head('forged-sender.a.md')['count'], 3)
  t.equal(open().find(({ about }) => about === 'a')?.firstMs, clock.now() - HOUR_MS - 2000)
  clock.turn(10 * 60_000)
  raise(stray('here'))
  for (let i = 0; i < 25; i++) raise(stray(`many/${i}`, { agent: 'cfo' }))
  sweep()
  t.equal(open().find(({ about }) => about === 'cfo-many')?.count, 5, 'counted anew')
  clock.turn(5 * 60_000)
  sweep()
  t.notOk(aboutsOf(open()).includes('gone'))
  t.ok(aboutsOf(open()).includes('here'))
  t.equal(open().find(({ about }) => about === 'cfo-many')?.count, 5)
  clock.turn(23 * HOUR_MS + 45 * 60_000)
  sweep()
  t.notOk(aboutsOf(open()).includes('a'), 'a day after it last happened')
})

t.test('an alert that a power cut emptied still says that something happened', async (t) => {
  const before = desk(t.testdir())
  before.raise(forged('a'))
  before.raise(stray('b'))
  for (const file of before.files()) writeFileSync(`${before.root}/spool/alerts/${file}`, '')
  writeFileSync(`${before.root}/spool/alerts/notes.txt`, 'mine')
  mkdirSync(`${before.root}/spool/alerts/loop.folder.md`)
  const { open, text, files } = before.restart()
  t.same(aboutsOf(open()), ['a', 'b'])
  t.match(text('forged-sender.a.md'), /was lost when the machine stopped/)
  t.ok(files().includes('notes.txt'), 'what is no alert is left alone')
})

t.test('a closed alert is kept for the retention time, the last one of each cause', async (t) => {
  const { raise, clear, sweep, closed, clock, root } = desk(t.testdir())
  for (let i = 1; i <= 3; i++) {
    raise(stray('a', { sentence: `Time ${i}.` }))
    clear('unmatched-file', 'a')
  }
  t.match(readFileSync(`${root}/spool/alerts/done/unmatched-file.a.md`, 'utf8'), /Time 3\./)
  clock.turn(29 * 24 * HOUR_MS)
  sweep()
  t.equal(closed().length, 1)
  clock.turn(2 * 24 * HOUR_MS)
  sweep()
  t.same(closed(), [])
})

t.test('a folder that cannot be listed closes nothing', async (t) => {
  let broken = false
  const { raise, sweep, open, logged } = desk(t.testdir(), undefined, (disk) => ({
    ...disk,
    list: (folder) => {
      if (broken) fails('EIO')()
      return disk.list(folder)
    },
  }))
  raise(forged('a'))
  broken = true
  sweep()
  t.equal(open().length, 1)
  t.match(logged.join('\n'), /EIO/)
})

t.test('one listing that passes over a file closes nothing', async (t) => {
  const { raise, sweep, open } = desk(t.testdir(), undefined, (disk) => ({
    ...disk,
    list: (folder) => disk.list(folder).filter(({ name }) => !name.endsWith('a.md')),
  }))
  raise(forged('a'))
  sweep()
  t.equal(open().length, 1)
})

t.test('a condition that a person closes comes back within a minute, unless it is gone by then', async (t) => {
  const { raise, clear, clearAll, done, sweep, files, clock, notified, events, open } = desk(t.testdir())
  for (const about of ['lasting', 'mended', 'computed', 'said-again']) raise(stray(about))
  raise(forged('past'))
  t.equal(done('all'), 5)
  clock.turn(20_000)
  sweep()
  t.same(files(), [], 'not at once')
  clear('unmatched-file', 'mended')
  raise(stray('said-again', { sentence: 'It is another now.' }))
  const told = notified.length
  clock.turn(40_000)
  sweep()
  t.same(files(), ['unmatched-file.computed.md', 'unmatched-file.lasting.md', 'unmatched-file.said-again.md'], 'an event is over')
  t.equal(open().find(({ about }) => about === 'said-again')?.sentence, 'It is another now.')
  t.equal(notified.length, told + 2, 'whoever is told of new ones is told of these')
  t.same(
    events
      .slice(-2)
      .map(({ about, state }) => `${about} ${state}`)
      .sort(),
    ['computed raised', 'lasting raised'],
  )
  t.equal(done('all'), 3)
  clearAll('unmatched-file', new Set(['lasting']))
  clock.turn(60_000)
  sweep()
  t.same(files(), ['unmatched-file.lasting.md'])
  clear('unmatched-file', 'lasting')
  t.same(files(), [], 'it closes as any other')
})

t.test('a condition that nobody looks for any more does not come back to who closed it, and is raised again if it is found again', async (t) => {
  const { raise, done, sweep, files, clock, notified } = desk(t.testdir())
  const found = stray('at-the-start', { foundOnce: true })
  raise(found)
  clock.turn(5_000)
  sweep()
  t.equal(done('all'), 1)
  clock.turn(60_000)
  sweep()
  t.same(files(), [])
  t.equal(notified.length, 1)
  raise(found)
  t.same(files(), ['unmatched-file.at-the-start.md'])
})

t.test('one that is found again after a restart does not come back to who closed it either', async (t) => {
  const before = desk(t.testdir())
  const found = stray('at-the-start', { foundOnce: true })
  before.raise(found)
  const { raise, done, sweep, files, clock } = before.restart()
  raise(found)
  t.equal(done('all'), 1)
  clock.turn(60_000)
  sweep()
  t.same(files(), [])
  raise(found)
  raise(stray('at-the-start'))
  t.equal(done('all'), 1)
  clock.turn(60_000)
  sweep()
  t.same(files(), ['unmatched-file.at-the-start.md'], 'whoever raised it last looks for it')
})

t.test('what one alert counts comes back with it, without what is gone meanwhile', async (t) => {
  const { raise, clear, done, sweep, open, clock } = desk(t.testdir())
  for (let i = 0; i < 25; i++) raise(stray(`many-of-${i}`, { agent: 'cfo' }))
  t.equal(done('all'), 21)
  for (const i of [3, 22, 23]) clear('unmatched-file', `many-of-${i}`)
  raise(stray('many-of-24', { agent: 'cfo' }))
  clock.turn(60_000)
  sweep()
  t.same([open().length, open().find(({ about }) => about === 'cfo-many')?.count], [21, 2], 'nineteen and the one that was said again have a file')
  for (let i = 0; i < 25; i++) clear('unmatched-file', `many-of-${i}`)
  t.same(open(), [])
})
