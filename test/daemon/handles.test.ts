import { createHash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { AdmittedEntry } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import { createHandles, type Handles } from '../../src/daemon/handles.ts'
import { makeIds, realSystem } from '../../src/system/index.ts'
import { report } from '../crash/house.ts'
import { alertOf, filesIn, lettersOf, message } from '../e2e/files.ts'
import { makeHandClock } from '../hand-clock.ts'
import { DAY, HOUR, MINUTE, turnedHouse } from './turned.ts'

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')

async function ground(t: Test) {
  const dir = t.testdir({})
  const { disk } = await realSystem(dir, 'error', () => undefined)
  const clock = makeHandClock(Date.UTC(2026, 0, 1))
  const ids = makeIds(clock)
  const unsettled = new Set<MessageId>()
  const order: string[] = []
  const breaths = { count: 0 }
  // Time goes by with each look at the clock, so that work in slices shows as such.
  let looks = 0
  const given = {
    clock: {
      ...clock,
      monotonic: () => clock.monotonic() + looks++ / 10,
      soon: (call: () => void) => {
        breaths.count++
        clock.soon(call)
      },
    },
    disk: {
      ...disk,
      rename: (from: string, to: string) => {
        order.push(`rename ${to.replace(`${dir}/`, '')}`)
        disk.rename(from, to)
      },
    } as typeof disk,
    log: (_level: string, what: string) => order.push(what),
    path: `${dir}/refs`,
    isUnsettled: (id: MessageId) => unsettled.has(id),
    syncJournal: async () => void order.push('journal'),
  }
  const send = (handles: Handles, from: string, ref: string | undefined, to: readonly string[], key?: string): MessageId[] => {
    const copies = to.map((holder) => ({ id: ids.next(), to: holder }))
    handles.see({ event: 'admitted', from, ref, key, sha256: sha(`${from} ${ref}`), copies } as unknown as AdmittedEntry)
    return copies.map(({ id }) => id)
  }
  return { open: () => createHandles(given), send, clock, unsettled, order, breaths, path: given.path }
}

t.test('a ref is found by its sender, by each holder and by itself, in memory and in the file, and by nobody else', async (t) => {
  const { open, send, order, breaths, path } = await ground(t)
  let handles = open()
  const both = send(handles, 'cfo', 'offer-1', ['legal', 'pmo'])
  const other = send(handles, 'pmo', 'offer-1', ['legal'])
  const [letter] = send(handles, 'pennypost', undefined, ['legal'], 'bounce:1')
  const look = (what: string): void => {
    t.same(handles.sent('cfo', 'offer-1'), { sha256: sha('cfo offer-1'), ids: both }, what)
    t.same(handles.received('legal', 'offer-1'), [both[0], ...other], what)
    t.same(handles.received('pmo', 'offer-1'), [both[1]], what)
    t.same(handles.called('offer-1'), [...both, ...other], what)
    t.equal(handles.letter('bounce:1'), letter, what)
    t.same(
      [handles.sent('legal', 'offer-1'), handles.sent('cfo', 'offer-2'), handles.sent('cfo', 'no ref'), handles.letter('bounce:2')],
      [undefined, undefined, undefined, undefined],
    )
    t.same([handles.received('cfo', 'offer-1'), handles.called('offer'), handles.called('')], [[], [], []], what)
  }
  look('in memory')
  for (let n = 0; n < 12_000; n++) send(handles, 'cfo', `many-${n}`, ['legal'])
  while (handles.kept().length > 12_000) await new Promise((resolve) => setTimeout(resolve, 20))
  t.ok(handles.kept().length < 12_000, 'most of it is no longer in memory')
  t.same(order.slice(0, 2), ['journal', 'rename refs'], 'what the file says is in the journal before')
  t.ok(breaths.count > 20, 'others had their turn meanwhile')
  look('in the file')
  for (const record of handles.kept()) handles.restore(record)
  await handles.expire(0)
  const { size } = statSync(path)
  t.equal(handles.kept().length, 0)
  handles = open()
  t.equal(await handles.check(), true)
  look('after a restart')
  t.ok(handles.sent('cfo', 'many-0') && handles.sent('cfo', 'many-11999'), 'the first and the last')
  handles.see({
    event: 'admitted',
    from: 'cfo',
    ref: 'offer-1',
    sha256: sha('cfo offer-1'),
    copies: both.map((id, n) => ({ id, to: ['legal', 'pmo'][n] })),
  } as unknown as AdmittedEntry)
  await handles.expire(0)
  t.equal(statSync(path).size, size, 'what is told again, as after a crash, is there once')
  look('told again')
})

t.test('refs are forgotten with settled messages past the retention time, keys after a week', async (t) => {
  const { open, send, clock, unsettled } = await ground(t)
  const handles = open()
  const [kept] = send(handles, 'cfo', 'open', ['legal'])
  if (kept) unsettled.add(kept)
  send(handles, 'cfo', 'settled', ['legal'])
  send(handles, 'pennypost', undefined, ['legal'], 'key')
  await clock.leap(6 * DAY)
  await handles.expire(clock.now() - DAY)
  t.ok(handles.sent('cfo', 'open') && handles.letter('key'))
  t.notOk(handles.sent('cfo', 'settled'))
  t.same(handles.received('legal', 'settled'), [])
  const [second] = send(handles, 'cfo', 'settled', ['legal'])
  t.same(handles.sent('cfo', 'settled')?.ids, [second], 'a ref that was forgotten may be used again, and is found')
  await clock.leap(2 * DAY)
  await handles.expire(clock.now() - DAY)
  t.notOk(handles.letter('key'))
  t.ok(handles.sent('cfo', 'open'))
})

t.test('a file of refs that is spoiled or cut off is not believed', async (t) => {
  const { open, send, path } = await ground(t)
  const first = open()
  t.equal(await first.check(), undefined)
  send(first, 'cfo', 'one', ['legal'])
  await first.expire(0)
  const whole = readFileSync(path)
  for (const spoilt of [whole.subarray(0, whole.length - 1), whole.subarray(64), Buffer.alloc(0), Buffer.concat([Buffer.from('x'), whole.subarray(1)])]) {
    writeFileSync(path, spoilt)
    const handles = open()
    handles.sent('cfo', 'one')
    t.equal(await handles.check(), false)
    t.equal(await handles.check(), undefined, 'it is out of the way')
    t.equal(handles.sent('cfo', 'one'), undefined)
  }
})

t.test('a repeat is one after an hour, after a restart, and after the file of refs was lost', async (t) => {
  const house = await turnedHouse(t)
  const text = message({ to: 'legal', subject: 'once', ref: 'once-1' }, 'the very same\n')
  const again = async (what: string, repeats: number): Promise<void> => {
    house.drop(`workspaces/cfo/outbox/again-${repeats}.md`, text)
    await house.until(what, () => filesIn(house.at('workspaces/cfo/outbox')).every((name) => !name.endsWith('.md')))
    t.equal((await report(house.house())).accounting.repeats, repeats, what)
  }
  house.drop('workspaces/cfo/outbox/first.md', text)
  await house.until('the first', () => lettersOf(house.root, 'legal')[0])
  await again('at once', 1)
  await house.pass(2 * HOUR, 10 * MINUTE)
  await house.until('the refs are in the file', () => statSync(house.at('.penny/state/refs')).size > 64)
  await again('after hours', 2)
  await house.restart()
  await again('after a restart', 3)
  await house.restart(() => writeFileSync(house.at('.penny/state/refs'), 'lost'))
  await again('after the file was lost', 4)
  house.drop('workspaces/cfo/outbox/other.md', text.replace('very same', 'other'))
  await house.until('ref-reused', () => alertOf(house.root, 'ref-reused', 'other.md'))
  t.equal(lettersOf(house.root, 'legal').length, 1, 'it came once')
})
