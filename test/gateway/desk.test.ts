import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createDesk } from '../../src/gateway/desk.ts'

const MB = 1024 ** 2

/** Turns of the event loop are made by hand. */
function byHand() {
  let planned: (() => void)[] = []
  const desk = createDesk({ soon: (call) => void planned.push(call) })
  const came: string[] = []
  return {
    came,
    isPlanned: () => planned.length > 0,
    ask: (agent: string, bytes: number): void => {
      const turn = desk.turn(agent as Name, bytes)
      if (turn) void turn.then(() => came.push(agent))
      else came.push(agent)
    },
    /** Returns who had a turn in this one. */
    next: async (): Promise<string[]> => {
      const before = came.length
      const calls = planned
      planned = []
      for (const call of calls) call()
      await new Promise(setImmediate)
      return came.slice(before)
    },
  }
}

t.test('whoever sends little is read at once, however much another has sent', async (t) => {
  const it = byHand()
  for (let n = 0; n < 200; n++) it.ask('loud', MB)
  it.ask('quiet', 76 * 1024)
  t.same(it.came, ['loud', 'quiet'], 'one that is larger than a turn has one of its own')
  t.same(await it.next(), ['loud'])
  it.ask('quiet', 1_000)
  t.equal(it.came.at(-1), 'quiet')
  for (let n = 0; n < 198; n++) t.same(await it.next(), ['loud'])
  t.equal(it.came.length, 202, 'and all are read in the end')
  await it.next()
  t.notOk(it.isPlanned(), 'nothing goes on for nothing')
})

t.test('of small ones so many are read in a turn, in their order; none overtakes what waits', async (t) => {
  const it = byHand()
  for (let n = 0; n < 100; n++) it.ask('loud', 100)
  const first = it.came.length
  t.ok(first > 1 && first < 20, String(first))
  t.equal((await it.next()).length, first)
  it.ask('loud', 0)
  t.equal(it.came.length, 2 * first)
})

t.test('those who wait have turns one after the other', async (t) => {
  const it = byHand()
  const names = ['a', 'b', 'c', 'd']
  for (let n = 0; n < 3; n++) for (const name of names) it.ask(name, MB)
  t.same(it.came, names)
  const later: string[] = []
  for (let n = 0; n < 8; n++) later.push(...(await it.next()))
  t.same(later, [...names, ...names], 'a megabyte in a turn, of all together')
})
