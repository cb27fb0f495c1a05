/** Plays one scene again and again, each time on a disk that dies one operation later; prints a line for each: `n root dead|through operation`. */

import { DiskDied } from './disk.ts'
import { newRoot, openHouse, pause, until } from './house.ts'
import { SCENES } from './scenes.ts'

const AT_ONCE = 6
/** After everything that follows: checkpoints, mirrors. */
const REST_MS = 600

const [, , name = ''] = process.argv
const scene = SCENES[name]
if (!scene) throw new Error(`no scene ${name}`)

process.on('unhandledRejection', (cause) => {
  if (!(cause instanceof DiskDied)) throw cause
})
process.on('uncaughtException', (cause) => {
  if (cause instanceof DiskDied) return
  process.stderr.write(`${cause.stack}\n`)
  process.exit(1)
})

async function play(n: number): Promise<boolean> {
  const house = await openHouse(newRoot(name === 'run' ? undefined : 'no runner'))
  await house.daemon.ready
  await scene?.before(house)
  // The start, its canary and the checkpoint after them are not what this is about.
  await pause(REST_MS)
  house.dying.arm(n)
  const acting = scene?.act(house).catch((cause: unknown) => {
    if (!house.dying.isDead()) throw cause
  })
  const isOver = await until(async () => house.dying.isDead() || scene?.isOver(house))
  await until(() => house.dying.isDead(), REST_MS)
  if (!house.dying.isDead()) await acting
  house.abandon()
  const how = house.dying.isDead() ? 'dead' : isOver ? 'through' : 'stuck'
  // Nothing of it may touch the disk any more, whether it died or not.
  house.dying.arm(1)
  process.stdout.write(
    `${JSON.stringify({ n, root: house.root, how, asked: house.dying.asked.slice(0, n).at(-1), logged: how === 'stuck' ? house.logged : [] })}\n`,
  )
  return how === 'dead'
}

let next = 1
let more = true
async function work(): Promise<void> {
  while (more) {
    const n = next++
    more = (await play(n)) && more
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work))
await pause(50)
process.exit(0)
