import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { type AdmitIntent, openSealed } from '../../src/journal/index.ts'
import { makeIds } from '../../src/system/index.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable, fails } from './ground.ts'

const DAY_MS = 86_400_000
const clock = handClock(Date.UTC(2030, 0, 1))
const ids = makeIds(clock)

function intent(text = 'hello'): AdmitIntent {
  const drop = ids.next()
  const id = ids.next()
  return {
    act: 'admit',
    drop,
    at: new Date(clock.now()).toISOString(),
    boot: 'boot',
    from: 'ceo' as Name,
    via: 'person',
    name: 'a.md',
    sha256: '',
    text,
    stamp: {},
    subject: 'a',
    priority: 'normal',
    rank: 3,
    thread: id,
    hops: 0,
    attachments: [],
    files: [],
    copies: [{ id, to: 'cfo' as Name, kind: 'task', file: 'a', stamp: { id } }],
  }
}

function open(root: string) {
  const ground = breakable()
  const full = { isFull: false }
  const write = (path: string, text: string): void => {
    if (full.isFull && path.includes('/sealed/')) fails('ENOSPC')()
    writeFileSync(path, text)
  }
  return { ...ground, full, sealed: openSealed(ground.disk, clock, `${root}/sealed`, `${root}/mark.json`, write) }
}

t.test('what was not closed is found again, in its order; what was closed and marked is not', async (t) => {
  const root = t.testdir({ sealed: {} })
  const [a, b, c] = [intent('a'), intent('b'), intent('c')]
  const first = open(root)
  for (const one of [a, b, c]) await first.sealed.seal(one)
  first.sealed.close(b.drop)
  first.sealed.mark()
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [a.drop, c.drop],
  )
  first.sealed.close(a.drop)
  first.sealed.close(c.drop)
  t.equal(open(root).sealed.recover().length, 2, 'closed, but the mark does not say so yet')
  first.sealed.mark()
  const last = open(root)
  t.same(last.sealed.recover(), [])
  const d = intent('d')
  await last.sealed.seal(d)
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [d.drop],
  )
})

t.test('an intent whose line could not be written, or not be made durable, is never followed', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed, breaks } = open(root)
  const [a, b, c] = [intent('a'), intent('b'), intent('c')]
  await sealed.seal(a)
  breaks.append = fails('ENOSPC')
  await t.rejects(sealed.seal(b), { code: 'ENOSPC' })
  delete breaks.append
  breaks.syncData = fails('EIO')
  await t.rejects(sealed.seal(c), { code: 'EIO' })
  delete breaks.syncData
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [a.drop],
  )
  const d = intent('d')
  await sealed.seal(d)
  sealed.close(a.drop)
  sealed.close(d.drop)
  sealed.mark()
  t.equal(sealed.open().size, 0, 'what was taken back does not hold up the mark')
  t.same(open(root).sealed.recover(), [])
})

t.test('the bytes of a drop are found by its id, by the id of each copy, and by nothing that only looks like one', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed } = open(root)
  const a = intent('a')
  const liar = intent(`"id":"${a.copies[0]?.id}" "drop":"${a.drop}"`)
  await sealed.seal(liar)
  await sealed.seal(a)
  const find = (id: MessageId): string | undefined => {
    const found = sealed.find(id, clock.now())
    return found?.act === 'admit' ? found.text : undefined
  }
  t.equal(find(a.drop), 'a')
  t.equal(find(a.copies[0]?.id as MessageId), 'a')
  t.equal(find(ids.next()), undefined)
  const b = intent('b')
  await sealed.seal(b)
  t.equal(find(b.drop), 'b', 'also what was sealed since the last question')
})

const nothing = (): boolean => false

t.test('segments past the retention time go, never one that recovery needs', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed } = open(root)
  const old = intent('old')
  await sealed.seal(old)
  clock.turn(2 * DAY_MS)
  await sealed.seal(intent('new'))
  clock.turn(2 * DAY_MS)
  await sealed.seal(intent('newer'))
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 3, 'the first is still open')
  sealed.close(old.drop)
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 2)
  t.equal(sealed.find(old.drop, clock.now()), undefined)
  t.match(JSON.parse(readFileSync(`${root}/mark.json`, 'utf8')), { segment: 2 })
})

t.test('what is still needed keeps its own line of an old segment, however full the disk is', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed, full } = open(root)
  const [needed, ...settled] = Array.from({ length: 100 }, (_, n) => intent(`text ${n} `.repeat(100)))
  const later = intent('later')
  for (const one of [...settled.slice(0, 50), needed as AdmitIntent, ...settled.slice(50)]) await sealed.seal(one)
  clock.turn(2 * DAY_MS)
  await sealed.seal(later)
  clock.turn(2 * DAY_MS)
  await sealed.seal(intent('now'))
  clock.turn(2 * DAY_MS)
  for (const { drop } of [...settled, needed as AdmitIntent, later]) sealed.close(drop)
  const copy = needed?.copies[0]?.id as MessageId
  const bytes = (): number => readdirSync(`${root}/sealed`).reduce((sum, name) => sum + statSync(`${root}/sealed/${name}`).size, 0)
  const before = bytes()

  full.isFull = true
  await t.rejects(
    sealed.expire(clock.now() - DAY_MS, (id) => id === copy),
    { code: 'ENOSPC' },
  )
  t.equal(sealed.find(later.drop, clock.now()), undefined, 'what needs no room is done')
  t.equal(sealed.find(settled[0]?.drop as MessageId, clock.now())?.act, 'admit', 'the rest waits')
  full.isFull = false
  t.equal(sealed.find(copy, clock.now())?.drop, needed?.drop)
  await sealed.expire(clock.now() - DAY_MS, (id) => id === copy)
  const kept = sealed.find(copy, clock.now())
  t.equal(kept?.act === 'admit' && kept.text, needed?.text, 'its bytes are as they were, also for a reader who had just looked')
  t.equal(sealed.find(settled[0]?.drop as MessageId, clock.now()), undefined)
  t.ok(bytes() * 10 < before, 'the mail around it takes no room')
  t.same(
    open(root)
      .sealed.recover()
      .map((one) => one.act === 'admit' && one.text),
    ['now'],
    'and nothing of it is carried out again',
  )
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(sealed.find(copy, clock.now()), undefined, 'needed no more, it goes')
})
