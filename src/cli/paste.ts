/** Commands that alerts and held files carry name paths from the root; shown so that they work wherever they are pasted. */
import { resolve } from 'node:path'
import { shellWord } from '../core/text.ts'
import type { Call } from './command.ts'

/** As it is in the root itself; from anywhere else it goes there first, which also tells `penny` which organisation is meant. */
export function toPaste(call: Call, root: string, fix: string): string {
  return resolve(call.surroundings.cwd) === root ? fix : `cd ${shellWord(root)} && ${fix}`
}
