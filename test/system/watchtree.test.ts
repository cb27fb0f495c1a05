import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import tap, { type Test } from 'tap'
import { watchTree } from '../../src/system/index.ts'

/** A watched folder, and whether the next thing that is done in it is told; each time the watch begins again, as its user lets it. */
function watched(t: Test): { dir: string; isTold: (act: () => void) => Promise<boolean> } {
  const dir = t.testdir({ agents: { 'writer.md': 'one' } })
  let told = 0
  const tree = watchTree(dir, 4, () => {
    told++
  })
  t.teardown(tree.cancel)
  const isTold = async (act: () => void): Promise<boolean> => {
    // What came before is over, and the watch is there: that is told too.
    for (let before = -1; before !== told || told === 0; await pause(200)) before = told
    const before = told
    act()
    for (let n = 0; n < 200 && told === before; n++) await pause(10)
    if (told === before) return false
    await pause(200)
    tree.again()
    return true
  }
  return { dir, isTold }
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
  for (const text of ['four', 'five']) t.ok(await isTold(() => writeFileSync(path, text)), text)
  t.ok(await isTold(() => replace(path, 'six')))
})

tap.test('files in a folder that is new, or took the place of another, are watched', async (t) => {
  const { dir, isTold } = watched(t)
  t.ok(await isTold(() => mkdirSync(join(dir, 'providers'))))
  t.ok(await isTold(() => writeFileSync(join(dir, 'providers/one.yaml'), '')))
  const swap = (): void => {
    rmSync(join(dir, 'agents'), { recursive: true })
    mkdirSync(join(dir, 'agents'))
  }
  t.ok(await isTold(swap))
  t.ok(await isTold(() => writeFileSync(join(dir, 'agents/writer.md'), 'new')))
})
