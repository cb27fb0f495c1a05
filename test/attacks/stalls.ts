/** How long a daemon's event loop stood still, told by stalls.mjs inside it. */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { PROJECT } from '../e2e/driver.ts'

/** `at`: when it was over, in milliseconds of the epoch; `stoodMs`: how long nothing was served; `ranMs`: how long of that it computed, and did not wait for the disk. */
export type Stall = Readonly<{ at: number; stoodMs: number; ranMs: number }>

/** Contract, issue of the walls: the loop never stands longer. Milliseconds. */
export const MOST_STALL_MS = 100

/** What makes Node watch, and what it saw after `since` (as `at`), the longest first. */
export function watchStalls(t: Test): Readonly<{ node: readonly string[]; stalls: (since: number) => readonly Stall[] }> {
  const file = join(tmpdir(), `penny-stalls-${process.pid}-${Date.now()}`)
  process.env['PENNY_STALLS'] = file
  t.teardown(() => rmSync(file, { force: true }))
  return {
    node: ['--import', join(PROJECT, 'test/attacks/stalls.mjs')],
    stalls: (since) =>
      readLines(file)
        .map((line) => JSON.parse(line) as Stall)
        .filter(({ at }) => at > since)
        .sort((a, b) => b.stoodMs - a.stoodMs),
  }
}

/** None is no file. */
function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw cause
  }
}
