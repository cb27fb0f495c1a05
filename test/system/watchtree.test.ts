import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import tap, { type Test } from 'tap'
import { watchTree } from '../../src/system/index.ts'

/** A watched folder, and whether the next thing that is done in it is told. */
function watched(t: Test): { dir: string; follow: () => void; isTold: (act: () => void) => Promise<boolean> } {
  const dir = t.testdir({ agents: { 'writer.md': 'one' } })
  let told = 0
  const tree = watchTree(dir, 4, () => {
    told++
  })
  t.teardown(tree.cancel)
  const isTold = async (act: () => void): Promise<boolean> => {
    // What came before is over.
    for (let before = -1; before !== told; await pause(50)) before = told
    const before = told
    act()
    for (let n = 0; n < 200 && told === before; n++) await pause(10)
    return told > before
  }
  return { dir, follow: tree.follow, isTold }
}

/** As an editor writes, and `sed -i`. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

tap.test('a file that is replaced twice at once goes on being watched', async (t) => {
  const { dir, isTold } = watched(t)
  const path = join(dir, 'agents/writer.md')
  const twice = (): void => {
    replace(path, 'two')
    replace(path, 'three')
  }
  t.ok(await isTold(twice))
  for (const text of ['four', 'five']) t.ok(await isTold(() => replace(path, text)), text)
})

tap.test('files in a folder that is new, or took the place of another, are watched', async (t) => {
  const { dir, follow, isTold } = watched(t)
  t.ok(await isTold(() => mkdirSync(join(dir, 'providers'))))
  follow()
  t.ok(await isTold(() => writeFileSync(join(dir, 'providers/one.yaml'), '')))
  const swap = (): void => {
    rmSync(join(dir, 'agents'), { recursive: true })
    mkdirSync(join(dir, 'agents'))
  }
  t.ok(await isTold(swap))
  follow()
  t.ok(await isTold(() => writeFileSync(join(dir, 'agents/writer.md'), 'new')))
})
