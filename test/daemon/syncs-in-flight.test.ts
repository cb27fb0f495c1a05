import { rmSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import { drop, mailOf, newRoot, openHouse, pause, until } from '../crash/house.ts'

/** What the daemon asks for at once; the pool of threads that the command starts with has a place for each. */
const AT_ONCE = 16
/** Less than 64, from which on one sync of the file system serves all. */
const DROPS = 40

t.test('a disk that takes long to sync is asked by many at once: drops share one sync, and what was placed is synced sixteen at a time', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const root = newRoot()
  let slow = false
  let syncs = 0
  let inFlight = 0
  let most = 0
  const takeLong = async (): Promise<void> => (slow ? pause(250) : undefined)
  const house = await openHouse(root, {
    disk: {
      ...disk,
      syncData: async (fd) => {
        if (slow) syncs++
        await takeLong()
        await disk.syncData(fd)
      },
      syncPath: async (path) => {
        if (slow && String(path).endsWith('.md')) most = Math.max(most, ++inFlight)
        await takeLong()
        if (slow && String(path).endsWith('.md')) inFlight--
        await disk.syncPath(path)
      },
    },
  })
  t.teardown(async () => {
    slow = false
    await house.stop()
    rmSync(root, { recursive: true, force: true })
  })
  await house.daemon.ready
  slow = true
  drop(root, 'spool', 'first.md', '---\nto: cfo\n---\nFIRST\n')
  await until(() => syncs > 0)
  for (let n = 0; n < DROPS; n++) drop(root, 'spool', `m-${n}.md`, `---\nto: legal\n---\nbody ${n}\n`)
  await until(() => mailOf(root).length === DROPS + 1)
  const shared = syncs
  t.equal(mailOf(root).length, DROPS + 1, 'all of them came')
  t.ok(shared <= DROPS / 2, `${DROPS + 1} drops came with ${shared} syncs of the logs`)
  await until(() => most >= AT_ONCE)
  t.equal(most, AT_ONCE, 'of what was placed, sixteen were synced at once')
})
