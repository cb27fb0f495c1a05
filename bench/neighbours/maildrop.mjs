/** maildrop, Debian's delivery agent: one process per message, into thirty Maildirs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../harness/children.mjs'
import { boxes, countDelivered, makeMaildirs, message, needs } from './maildirs.mjs'

/** @param {import('../main.mjs').Bench} bench @param {number} atATime @returns {Promise<number>} messages a second */
export const maildrop = async ({ programs, dir, amounts }, atATime) => {
  await needs('maildrop')
  const folder = join(dir, 'maildrop')
  mkdirSync(folder)
  makeMaildirs(folder)
  for (let box = 0; box < boxes; box++) writeFileSync(join(folder, `filter${box}`), `to "${folder}/u${box}/"\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'message'), message)
  const count = amounts.neighbours.maildrop
  const printed = await run(programs.spawn, [String(count), String(atATime), String(boxes), join(folder, 'message'), 'maildrop', join(folder, 'filter%')])
  const arrived = countDelivered(folder)
  rmSync(folder, { recursive: true })
  if (arrived !== count) throw new Error(`${arrived} of ${count} messages arrived`)
  return count / (Number(printed) / 1e9)
}
