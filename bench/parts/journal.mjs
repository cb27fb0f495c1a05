/** The burst once more, on ext4 with a journal, with references of that file system: the goal holds there too (contract page 4). */
import { mountJournaled, unmount } from '../harness/loop.mjs'
import { makeReference } from '../harness/reference.mjs'
import { notMeasured } from '../harness/report.mjs'
import { burst } from './burst.mjs'

const where = ', ext4 with a journal'

/** @param {import('../main.mjs').Bench} bench */
export const journal = async (bench) => {
  /** @type {string} */
  let dir
  try {
    dir = await mountJournaled(bench.dir)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    bench.say(`burst${where}: ${why}`)
    bench.add(notMeasured(`burst${where}`, why, 'as above'))
    return
  }
  const reference = makeReference({ ...bench, dir })
  await burst({ ...bench, dir, reference }, { where })
  unmount(dir)
}
