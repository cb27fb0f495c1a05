import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { createLeftovers } from '../../src/intake/index.ts'
import type { DropFolder } from '../../src/intake/types.ts'
import { handClock } from '../deadline/hand-clock.ts'
import { breakable } from '../journal/ground.ts'

t.test('a file in files/ is told of, however many lie there before it', async (t) => {
  const root = t.testdir()
  mkdirSync(`${root}/files`)
  for (let i = 0; i < 2_500; i++) writeFileSync(`${root}/files/a${i}.pdf`, '')
  writeFileSync(`${root}/files/z.pdf`, '')
  const clock = handClock(Date.UTC(2030, 0, 1))
  const told = new Set<string>()
  const leftovers = createLeftovers(
    clock,
    breakable().disk,
    ({ about }) => void told.add(about),
    (_code, about) => void told.delete(about),
    (uid) => `uid-${uid}`,
    () => false,
  )
  const folder: DropFolder = { path: root, shown: 'spool', kind: 'spool', name: '' } as never
  const sweeps = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      clock.turn(60_000)
      await leftovers.sweep([folder])
    }
  }
  await sweeps(16)
  t.equal(told.size, 2_501)
  t.ok(told.has('spool/files/z.pdf'))
  for (let i = 0; i < 2_500; i++) rmSync(`${root}/files/a${i}.pdf`)
  await sweeps(1)
  t.same([...told], ['spool/files/z.pdf'], 'what is gone is closed at once')
})
