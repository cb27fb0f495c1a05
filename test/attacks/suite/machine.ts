/** What the machine itself adds to every time: other work on its processors, other data on its way to the disk. */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Other work on the processors. Milliseconds. */
const LOADED_MS = 1_000
/** A message waits so often for the medium: its intent, its copy and its folder, and those of what goes with it. */
const WAITS_OF_A_MESSAGE = 6
const LOOK_MS = 250
const REMEMBERED_MS = 30_000

const waits: { at: number; ms: number }[] = []
/** Since when one waits that is not over: the longest of all may be the one that matters. */
const underWay = new Set<number>()

/** Above what the contract says, as long as the machine is as it was in the last half minute. */
export function slackMs(): number {
  const now = performance.now()
  const all = [...waits, ...[...underWay].map((at) => ({ at, ms: now - at }))]
  return LOADED_MS + WAITS_OF_A_MESSAGE * all.reduce((most, { at, ms }) => (at + ms < now - REMEMBERED_MS ? most : Math.max(most, ms)), 0)
}

/** Writes a block and waits until it is on the medium, again and again; returns what ends that. */
export function watchMachine(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'penny-machine-'))
  let over = false
  const look = async (): Promise<void> => {
    const file = await open(join(folder, 'block'), 'w')
    while (!over) {
      const at = performance.now()
      underWay.add(at)
      await file.write(Buffer.alloc(2_048), 0, 2_048, 0)
      await file.sync()
      underWay.delete(at)
      waits.push({ at, ms: performance.now() - at })
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    await file.close()
    rmSync(folder, { recursive: true })
  }
  void look()
  return () => {
    over = true
  }
}
