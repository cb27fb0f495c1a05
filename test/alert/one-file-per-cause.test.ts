import { readdirSync, statSync } from 'node:fs'
import t from 'tap'
import { keyOf } from '../../src/alert/key.ts'
import type { Fault } from '../../src/core/fault.ts'
import { fails } from '../journal/ground.ts'
import { desk, forged, stray } from './desk.ts'

t.test('an alert is a file that says what, about what, who, since when, how often, and the fix', async (t) => {
  const { raise, head, text, files, events, notified, clock, logged } = desk(t.testdir())
  raise(forged('spool/legal/Wire approval-P1.md'))
  const [file = ''] = files()
  t.match(file, /^forged-sender\.spool-legal-wire-approval-p1-md-[0-9a-f]{16}\.md$/)
  const at = new Date(clock.now()).toISOString()
  t.same(head(file), {
    code: 'forged-sender',
    about: 'spool/legal/Wire approval-P1.md',
    agent: 'legal',
    priority: 'urgent',
    first_seen: at,
    last_seen: at,
    count: 1,
    fix: 'penny held',
  })
  t.match(text(file), /\n# forged-sender: .*\n\nspool.* claims to be from ceo\.\n\n.*\n\n {4}penny held\n$/)
  t.equal(statSync(`${t.testdirName}/spool/alerts/${file}`).mode & 0o777, 0o640)
  t.same(events, [{ event: 'alert', code: 'forged-sender', about: 'spool/legal/Wire approval-P1.md', agent: 'legal', state: 'raised' }])
  t.equal(notified.length, 1)
  t.match(notified[0], /^tell me: ---\ncode: forged-sender\n/)
  t.equal(logged.length, 1)
  t.same(readdirSync(`${t.testdirName}/.penny/staging`), [], 'nothing is left in staging')
})

t.test('a warning gets the second word of the scheme', async (t) => {
  const { raise, head } = desk(t.testdir())
  raise(stray('x', { agent: 'ceo' }))
  t.equal(head('unmatched-file.x.md')['priority'], 'high')
})

t.test('what comes again is counted, its file rewritten at most once a second', async (t) => {
  const { raise, head, sweep, clock, events, notified } = desk(t.testdir())
  const file = 'forged-sender.a.md'
  const count = (): unknown => head(file)['count']
  raise(forged('a'))
  for (let i = 0; i < 4; i++) raise(forged('a'))
  t.equal(count(), 1, 'not yet')
  sweep()
  t.equal(count(), 1, 'not yet')
  clock.turn(1000)
  sweep()
  t.equal(count(), 5)
  clock.turn(1000)
  raise(forged('a', { sentence: 'It claims to be from cfo.' }))
  t.equal(count(), 6)
  t.equal(Date.parse(String(head(file)['last_seen'])) - Date.parse(String(head(file)['first_seen'])), 2000)
  t.equal(events.length, 1)
  t.equal(notified.length, 1)
})

t.test('a condition that is merely found again is not counted', async (t) => {
  const { raise, open, clock } = desk(t.testdir())
  raise(stray('a'))
  clock.turn(5000)
  raise(stray('a'))
  t.same(
    open().map(({ count }) => count),
    [1],
  )
  raise(stray('a', { sentence: 'It is larger now.' }))
  t.same(
    open().map(({ count, sentence }) => ({ count, sentence })),
    [{ count: 2, sentence: 'It is larger now.' }],
  )
})

t.test('a hostile about stays one line of text in the front matter and in the body', async (t) => {
  const { raise, files, head, text, restart } = desk(t.testdir())
  const about = 'spool/x\n---\ncode: loop\nfix: rm -rf "\u001b[31m\u202e.md'
  raise(forged(about, { sentence: `Look: ${about}`, fix: `penny release '${about}'`, agent: 'null' }))
  const [file = ''] = files()
  t.equal(files().length, 1)
  const { code, fix, agent, about: said } = head(file)
  t.equal(code, 'forged-sender')
  t.equal(agent, 'null')
  t.equal(said, 'spool/x\\n---\\ncode: loop\\nfix: rm -rf "\\x1b[31m\\u202e.md')
  t.match(String(fix), /^penny release /)
  for (const unsafe of ['\u001b', '\u202e']) t.notOk(text(file).includes(unsafe))
  t.equal(text(file).split('\n---\n').length, 2)
  const [again] = restart().open()
  t.equal(again?.about, said, 'and reads back the same')
  t.equal(again?.agent, 'null')
})

t.test('two abouts never share a key, and every key is a name that can be', async (t) => {
  const abouts = [
    'a',
    'A',
    'a/',
    '/a',
    '',
    '-',
    '---',
    'legal-many',
    'many',
    'x'.repeat(60),
    'x'.repeat(61),
    'x'.repeat(5000),
    'é',
    'e',
    keyOf('A'),
    keyOf('é'),
    '\0',
    '0190-ab',
  ]
  const keys = abouts.map((about) => keyOf(about))
  t.equal(new Set(keys).size, abouts.length)
  for (const key of keys) t.match(key, /^[a-z0-9-]{1,60}$/)
  t.equal(keyOf('019a1b2c-0000-7000-8000-000000000001'), '019a1b2c-0000-7000-8000-000000000001', 'an id is its own key')
})

t.test('above twenty of one code for one agent, one alert counts them and closes with the last of them', async (t) => {
  const { raise, clear, files, head, text, sweep, clock, open } = desk(t.testdir())
  for (let i = 0; i < 50; i++) raise(stray(`spool/legal/file-${i}.txt`))
  raise(stray('spool/cfo/other.txt', { agent: 'cfo' }))
  clock.turn(1000)
  sweep()
  t.equal(files().length, 22)
  const many = 'unmatched-file.legal-many.md'
  t.equal(head(many)['count'], 30)
  t.match(text(many), /30 more of unmatched-file for legal .*spool\/legal\/file-49\.txt.*Look at all of spool\/legal\/\./)
  raise(stray('spool/legal/file-49.txt'))
  t.equal(open().find(({ file }) => file === many)?.count, 30, 'the same one is not counted twice')
  for (let i = 20; i < 49; i++) clear('unmatched-file', `spool/legal/file-${i}.txt`)
  clear('unmatched-file', 'never raised')
  t.equal(open().find(({ file }) => file === many)?.count, 1)
  clear('unmatched-file', 'spool/legal/file-0.txt')
  raise(stray('spool/legal/file-49.txt'))
  t.notOk(
    open().some(({ file }) => file === many),
    'the last one has a file of its own now',
  )
  t.equal(files().filter((file) => file.includes('file-49-txt')).length, 1)
})

t.test('10,000 kinds, agents or both stay a bounded number of files', async (t) => {
  const { raise, open, files } = desk(t.testdir())
  for (let i = 0; i < 10_000; i++) raise(forged(`a-${i}`))
  t.equal(files().length, 21)
  t.equal(open().find(({ about }) => about === 'legal-many')?.count, 9_980)
  for (let i = 0; i < 3_000; i++) raise(stray('x', { about: `b-${i}`, agent: `agent-${i}` }))
  t.equal(files().length, 21 + 1_001)
  t.equal(open().find(({ file }) => file === 'unmatched-file.many.md')?.count, 2_000)
})

t.test('ten notifications a minute, then one that says how many more', async (t) => {
  const { raise, notified, clock, sweep } = desk(t.testdir())
  for (let i = 0; i < 14; i++) raise(forged(`a-${i}`))
  t.equal(notified.length, 10)
  sweep()
  t.equal(notified.length, 10)
  clock.turn(60_000)
  sweep()
  t.equal(notified.length, 11)
  t.match(notified[10], /^tell me: 4 more alerts/)
  raise(forged('b'))
  t.equal(notified.length, 12)
  clock.turn(60_000)
  sweep()
  t.equal(notified.length, 12, 'nothing more to say')
})

t.test('one agent does not silence what is told of the others', async (t) => {
  const { raise, notified } = desk(t.testdir())
  for (let i = 0; i < 12; i++) raise(forged(`a-${i}`, { agent: 'eve' }))
  raise(forged('b-1', { agent: 'pmo' }))
  raise(forged('b-2', { agent: 'pmo' }))
  t.equal(notified.length, 11)
  t.match(notified[10], /b-1 claims/)
  for (let i = 0; i < 100; i++) raise(forged(`c-${i}`, { agent: `agent-${i}` }))
  t.equal(notified.length, 40, 'but a telephone bears only so much')
})

t.test('an alert that cannot be written is kept, logged, and written when there is room', async (t) => {
  let full = true
  const faulty = { ...stray('disk'), code: 'disk-full' } satisfies Fault
  const { raise, files, sweep, open, logged, events } = desk(t.testdir(), undefined, (disk) => ({
    ...disk,
    create: (...given) => {
      if (full) fails('ENOSPC')()
      return disk.create(...given)
    },
  }))
  raise(faulty)
  t.same(files(), [])
  t.equal(open().length, 1)
  t.equal(events.length, 1)
  t.match(logged.join('\n'), /disk is no message.*\n.*ENOSPC/)
  sweep()
  t.equal(open().length, 1, 'a file that never was is not one that a person removed')
  full = false
  sweep()
  t.same(files(), ['disk-full.disk.md'])
})
