import { readdirSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
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
  const write = (path: string, text: string): Promise<void> => {
    if (full.isFull && path.includes('/sealed/')) fails('ENOSPC')()
    return writeFile(path, text)
  }
  const reads: string[] = []
  const disk: typeof ground.disk = {
    ...ground.disk,
    readFile: (path, limit) => {
      reads.push(String(path))
      return ground.disk.readFile(path, limit)
    },
  }
  return { ...ground, full, reads, sealed: openSealed(disk, clock, `${root}/sealed`, `${root}/mark.json`, write) }
}

t.test('what was not closed is found again, in its order; what was closed and marked is not', async (t) => {
  const root = t.testdir({ sealed: {} })
  const [a, b, c] = [intent('a'), intent('b'), intent('c')]
  const first = open(root)
  for (const one of [a, b, c]) await first.sealed.seal(one)
  first.sealed.close(b.drop)
  await first.sealed.mark()
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [a.drop, c.drop],
  )
  first.sealed.close(a.drop)
  first.sealed.close(c.drop)
  t.equal(open(root).sealed.recover().length, 2, 'closed, but the mark does not say so yet')
  await first.sealed.mark()
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
  await sealed.mark()
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
    const found = sealed.find(id)
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
  const [later, newer] = [intent('new'), intent('newer')]
  await sealed.seal(later)
  clock.turn(2 * DAY_MS)
  await sealed.seal(newer)
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 3, 'the first is still open')
  sealed.close(old.drop)
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 2)
  t.equal(sealed.find(old.drop), undefined)
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [later.drop, newer.drop],
  )
})

t.test('one that stays open holds up no other: the mark goes on and stays small, old segments go, and it alone is carried out again', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed } = open(root)
  const stuck = intent('stuck')
  const many = async (): Promise<void> => {
    for (let n = 0; n < 200; n++) {
      const one = intent(`text ${n} `.repeat(20))
      await sealed.seal(one)
      sealed.close(one.drop)
    }
    await sealed.mark()
  }
  await many()
  await sealed.seal(stuck)
  await many()
  const markOf = (): { segment: number; offset: number; closed: unknown[]; left: unknown[] } => JSON.parse(readFileSync(`${root}/mark.json`, 'utf8'))
  t.same(markOf().closed, [])
  t.same(markOf().left, [[1, stuck.drop]])
  const again = (): unknown[] =>
    open(root)
      .sealed.recover()
      .map((one) => one.act === 'admit' && one.text)
  t.same(again(), ['stuck'])
  clock.turn(2 * DAY_MS)
  await many()
  clock.turn(2 * DAY_MS)
  await many()
  clock.turn(2 * DAY_MS)
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 2, 'its own and the last')
  t.ok(
    readdirSync(`${root}/sealed`).some((name) => statSync(`${root}/sealed/${name}`).size < 1000),
    'of its own only its line',
  )
  t.equal(markOf().segment, 3)
  t.same(again(), ['stuck'])
  sealed.close(stuck.drop)
  await sealed.mark()
  t.same(again(), [])
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(readdirSync(`${root}/sealed`).length, 1)
})

t.test('no mark passes a line that may not be on the medium', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed, breaks } = open(root)
  const [first, second, third] = [intent('first'), intent('second'), intent('third')]
  await sealed.seal(first)
  const [name = ''] = readdirSync(`${root}/sealed`)
  const { size } = statSync(`${root}/sealed/${name}`)
  breaks.syncData = fails('EIO')
  await t.rejects(sealed.seal(second), { code: 'EIO' })
  await sealed.mark()
  t.match(JSON.parse(readFileSync(`${root}/mark.json`, 'utf8')), { segment: 1, offset: size, left: [[1, first.drop]] })
  delete breaks.syncData
  await sealed.seal(third)
  sealed.close(third.drop)
  await sealed.mark()
  t.match(JSON.parse(readFileSync(`${root}/mark.json`, 'utf8')), { segment: 1, offset: statSync(`${root}/sealed/${name}`).size, left: [[1, first.drop]] })
  t.same(
    open(root)
      .sealed.recover()
      .map(({ drop }) => drop),
    [first.drop],
  )
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
  t.equal(sealed.find(later.drop), undefined, 'what needs no room is done')
  t.equal(sealed.find(settled[0]?.drop as MessageId)?.act, 'admit', 'the rest waits')
  full.isFull = false
  t.equal(sealed.find(copy)?.drop, needed?.drop)
  await sealed.expire(clock.now() - DAY_MS, (id) => id === copy)
  const kept = sealed.find(copy)
  t.equal(kept?.act === 'admit' && kept.text, needed?.text, 'its bytes are as they were, also for a reader who had just looked')
  t.equal(sealed.find(settled[0]?.drop as MessageId), undefined)
  t.ok(bytes() * 10 < before, 'the mail around it takes no room')
  t.same(
    open(root)
      .sealed.recover()
      .map((one) => one.act === 'admit' && one.text),
    ['now'],
    'and nothing of it is carried out again',
  )
  await sealed.expire(clock.now() - DAY_MS, nothing)
  t.equal(sealed.find(copy), undefined, 'needed no more, it goes')
})

t.test('an id that nobody has costs no more than a few segments, however many there are, and that once', async (t) => {
  const root = t.testdir({ sealed: {} })
  const { sealed, reads } = open(root)
  const unknown: MessageId[] = []
  const known: AdmitIntent[] = []
  for (let hour = 0; hour < 60; hour++) {
    clock.turn(DAY_MS / 24)
    unknown.push(ids.next())
    // One that was overtaken: its ids are older than what is sealed before it.
    const late = intent('late')
    const one = intent(`hour ${hour}`)
    known.push(one, late)
    await sealed.seal(one)
    clock.turn(DAY_MS / 24)
    await sealed.seal(late)
  }
  t.equal(readdirSync(`${root}/sealed`).length, 120)
  for (const id of unknown) {
    reads.length = 0
    t.equal(sealed.find(id), undefined)
    t.ok(reads.length <= 7, `${reads.length} segments were read`)
    reads.length = 0
    t.equal(sealed.find(id), undefined)
    t.equal(reads.length, 0)
  }
  for (const one of known) {
    reads.length = 0
    t.equal(sealed.find(one.copies[0]?.id as MessageId)?.drop, one.drop)
    t.ok(reads.length <= 7)
  }
  const next = intent('next')
  t.equal(sealed.find(next.drop), undefined)
  await sealed.seal(next)
  t.equal(sealed.find(next.drop)?.drop, next.drop, 'one that was asked for before it was sealed')
})
