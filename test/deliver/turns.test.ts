import t from 'tap'
import { makeGate } from '../../src/deliver/turns.ts'
import type { Clock } from '../../src/system/types.ts'

/** Each who passes works for so long; turns are what lies between two looks of the event loop. */
function gateWith(workMs: number) {
  let elapsedMs = 0
  let turns = 0
  const soon = (call: () => void): void =>
    void setImmediate(() => {
      turns++
      call()
    })
  const gate = makeGate({ monotonic: () => elapsedMs, soon } as unknown as Clock)
  const passed: string[] = []
  const pass = async (from: string): Promise<void> => {
    await gate(from)
    elapsedMs += workMs
    passed.push(from)
  }
  return { pass, passed, turns: () => turns }
}

t.test('one of each sender passes after the other: who sends one waits for no crowd', async (t) => {
  const { pass, passed } = gateWith(1)
  await Promise.all([...Array.from({ length: 300 }, () => pass('eve')), pass('legal'), pass('cfo'), pass('legal')])
  t.same(passed.slice(0, 6), ['eve', 'legal', 'cfo', 'eve', 'legal', 'eve'])
  t.equal(passed.length, 303)
})

t.test('what is done after passing counts as time of the turn', async (t) => {
  const slow = gateWith(5)
  await Promise.all(Array.from({ length: 40 }, () => slow.pass('eve')))
  t.equal(slow.turns(), 20, 'two in 8 ms')
  const quick = gateWith(0.1)
  await Promise.all(Array.from({ length: 40 }, () => quick.pass('eve')))
  t.equal(quick.turns(), 1)
})
