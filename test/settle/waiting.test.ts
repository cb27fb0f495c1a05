import t from 'tap'
import { formatId, type MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Letter } from '../../src/core/post.ts'
import { type Mail, makeLedger } from '../../src/mailbox/index.ts'
import { createBlocked } from '../../src/settle/blocked.ts'
import { task } from '../deadline/office.ts'
import { makeHandClock } from '../hand-clock.ts'

/** Tasks that wait, and what is asked about the words they wait for. Each question takes a while. */
function waiting(questionMs = 0) {
  const clock = makeHandClock(Date.UTC(2030, 0, 7))
  const ledger = makeLedger()
  const meanings = new Map<string, MessageId>()
  const asked: string[] = []
  const letters: Letter[] = []
  let nowMs = 0
  const blocked = createBlocked(
    {
      clock: { ...clock, monotonic: () => nowMs },
      ledger,
      log: () => undefined,
      meant: (_holder, word) => {
        asked.push(word)
        nowMs += questionMs
        return meanings.get(word)
      },
      raise: () => undefined,
      submit: async (letter) => {
        letters.push(letter)
        return task({}).id
      },
    },
    async ({ id, to }) => {
      Object.assign(ledger.get(id) ?? {}, { status: to })
      return { outcome: 'changed', was: 'blocked' }
    },
  )
  const add = (holder: string, blockedOn: string[]): Mail => {
    const mail = task({ holder: holder as Name, status: 'blocked', folder: 'cur', blockedOn })
    ledger.add(mail)
    return mail
  }
  return { blocked, ledger, meanings, asked, letters, add }
}

const invented = (of: number, count = 100): string[] => Array.from({ length: count }, (_, n) => `ref-${of}-${n}`)

t.test('who makes up a hundred thousand words stops nobody: few are asked about at once, and others are released within seconds', (t) => {
  const { blocked, meanings, asked, add } = waiting()
  for (let n = 0; n < 1_000; n++) add('legal', invented(n))
  const [settled, waits] = [task({}).id, add('cfo', ['mine', ...invented(1_000, 5)])]
  const most = (what: string, act: () => void): void => {
    asked.length = 0
    act()
    t.ok(asked.length <= 510, `${what}: ${asked.length} words`)
  }
  most('a start', () => blocked.sweep(true))
  t.same(blocked.waitsFor(waits.id), [])
  for (const word of waits.blockedOn) meanings.set(word, settled)
  for (let n = 0; n < 3; n++) most('a sweep', () => blocked.sweep(false))
  t.equal(waits.status, 'open')
  const more = add('legal', invented(2_000))
  asked.length = 0
  blocked.changed(more.id)
  t.ok(asked.length > 0 && asked.length <= 10, `a change: ${asked.length} words`)
  t.end()
})

t.test('every word of every task is asked about in the end, also where each takes long', (t) => {
  const { blocked, meanings, asked, add } = waiting(20)
  const settled = task({}).id
  const [long, other] = [add('legal', invented(0, 40)), add('legal', ['later'])]
  for (const word of long.blockedOn) meanings.set(word, settled)
  for (let n = 0; n < 100 && long.status === 'blocked'; n++) {
    asked.length = 0
    blocked.sweep(n === 0)
    t.ok(asked.length <= 3, `${asked.length} words`)
  }
  t.equal(long.status, 'open')
  t.equal(other.status, 'blocked')
  meanings.set('later', settled)
  blocked.sweep(false)
  t.equal(other.status, 'open')
  t.end()
})

t.test('an id that nobody has is told and asked about once; one of open mail is known without asking', (t) => {
  const { blocked, ledger, asked, letters, add } = waiting()
  const nobodys = formatId(1, 0, Buffer.alloc(8))
  const open = task({})
  ledger.add(open)
  const waits = add('legal', [nobodys, open.id])
  blocked.changed(waits.id)
  t.same(blocked.waitsFor(waits.id), [open.id])
  t.equal(letters.length, 1)
  ledger.remove(open.id)
  for (let n = 0; n < 5; n++) blocked.sweep(n === 0)
  t.same(asked, [nobodys])
  t.equal(letters.length, 1)
  t.equal(waits.status, 'blocked')
  t.end()
})

t.test('a task that waits for more than is followed is not opened', (t) => {
  const { blocked, meanings, add } = waiting()
  const settled = task({}).id
  const [all, tooMany] = [add('legal', invented(0, 100)), add('legal', invented(0, 101))]
  for (const word of tooMany.blockedOn) meanings.set(word, settled)
  for (let n = 0; n < 30; n++) blocked.sweep(n === 0)
  t.equal(all.status, 'open')
  t.equal(tooMany.status, 'blocked')
  t.end()
})

t.test('what everybody waits for is known once all who waited at the start were asked about, however many join meanwhile', (t) => {
  const { blocked, asked, add } = waiting()
  const mails = [...Array.from({ length: 600 }, (_, n) => add('legal', invented(n, 1))), add('cfo', invented(600, 25))]
  const last = mails.flatMap(({ blockedOn }) => blockedOn.slice(-1))
  blocked.sweep(false)
  t.notOk(blocked.isKnown(), 'before the ledger was gone through')
  let sweeps = 0
  for (; sweeps < 100 && !blocked.isKnown(); sweeps++) {
    blocked.sweep(sweeps === 0)
    t.equal(
      blocked.isKnown(),
      last.every((word) => asked.includes(word)),
      `after sweep ${sweeps}`,
    )
    blocked.changed(add('legal', invented(1_000 + sweeps, 25)).id)
  }
  t.ok(sweeps > 1 && blocked.isKnown(), `${sweeps} sweeps`)
  blocked.sweep(true)
  t.ok(blocked.isKnown(), 'and stays so')
  t.end()
})

t.test('what no longer waits does not keep it unknown what the others wait for', (t) => {
  const { blocked, ledger, add } = waiting()
  const mails = Array.from({ length: 600 }, (_, n) => add('legal', invented(n, 1)))
  blocked.sweep(true)
  t.notOk(blocked.isKnown())
  for (const mail of mails) {
    ledger.remove(mail.id)
    blocked.changed(mail.id)
  }
  t.ok(blocked.isKnown())
  t.end()
})
