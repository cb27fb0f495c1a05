import t from 'tap'
import type { Desk } from '../../src/intake/desk.ts'
import { createTurns } from '../../src/intake/turns.ts'
import type { Clock } from '../../src/system/types.ts'

/** Looking at a drop takes no time; what follows from it, before anything is waited for, takes so long. */
function turnsWith(folders: readonly string[], workMs: number) {
  let elapsedMs = 0
  const begun: string[] = []
  const perTurn: number[] = []
  const soon = (call: () => void): void =>
    void setImmediate(() => {
      perTurn.push(0)
      call()
    })
  const desks = new Map(folders.map((path) => [path, { path, queue: new Map(), inFlight: new Set(), again: new Set() } as unknown as Desk]))
  const turns = createTurns({ monotonic: () => elapsedMs, soon } as unknown as Clock, desks, (_desk, name) => {
    begun.push(name)
    void Promise.resolve()
      .then(() => undefined)
      .then(() => {
        elapsedMs += workMs
        perTurn.push((perTurn.pop() ?? 0) + 1)
      })
  })
  const drop = (folder: string, count: number): void => {
    for (let n = 0; n < count; n++) turns.enqueue(desks.get(folder) as Desk, `${folder}${n}`)
  }
  const over = async (count: number): Promise<void> => {
    while (begun.length < count) await new Promise((resolve) => void setImmediate(resolve))
  }
  return { begun, perTurn, drop, over }
}

t.test('a turn ends when what it began took its time, not only the looking', async (t) => {
  const { perTurn, drop, over } = turnsWith(['eve'], 3)
  drop('eve', 30)
  await over(30)
  t.same(
    perTurn.filter((count) => count > 0),
    Array(10).fill(3),
    'three in 8 ms',
  )
})

t.test('where a turn has no time for all folders, the next goes on with those that had none', async (t) => {
  const folders = Array.from({ length: 10 }, (_, n) => `agent${n}-`)
  const { begun, drop, over } = turnsWith(folders, 5)
  for (const folder of folders) drop(folder, 10)
  await over(100)
  const firstOf = (folder: string): number => begun.findIndex((name) => name.startsWith(folder))
  t.ok(Math.max(...folders.map(firstOf)) < 30, `the last folder has its turn at ${Math.max(...folders.map(firstOf))}`)
})
