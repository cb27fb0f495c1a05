import { existsSync, mkdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { takeLock } from '../../src/system/lockfile.ts'

t.test('one holds it, the next waits for it, and gives up in time', async (t) => {
  const path = `${t.testdir()}/policies.lock`
  const first = await takeLock(path, 0)
  t.ok(first)
  t.equal(await takeLock(path, 200), undefined)
  const second = takeLock(path, 5_000)
  await first?.release()
  const held = await second
  t.ok(held)
  await held?.release()
  t.notOk(existsSync(path))
})

t.test('what a killed holder left blocks nobody, not even with a time of tomorrow', async (t) => {
  const folder = t.testdir()
  const left = (name: string, seconds: number): string => {
    const path = `${folder}/${name}`
    mkdirSync(path)
    const at = Date.now() / 1000 + seconds
    utimesSync(path, at, at)
    return path
  }
  const old = await takeLock(left('old', -3600), 0)
  t.ok(old)
  await old?.release()
  const future = left('future', 86_400)
  t.equal(await takeLock(future, 0), undefined, 'at first it may be held by somebody who lives')
  // A test's own hour: nobody renewed it.
  utimesSync(future, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600)
  const taken = await takeLock(future, 0)
  t.ok(taken)
  await taken?.release()
})

t.test('what is no lock is not removed', async (t) => {
  const folder = t.testdir({ file: 'text', full: { inner: 'text' } })
  writeFileSync(`${folder}/file`, 'text')
  for (const name of ['file', 'full']) await t.rejects(takeLock(`${folder}/${name}`, 0), { code: 'EEXIST' })
  t.ok(existsSync(`${folder}/full/inner`))
})

t.test('a lock that was taken for stale meanwhile is left to who has it now', async (t) => {
  const path = `${t.testdir()}/policies.lock`
  const first = await takeLock(path, 0)
  rmdirSync(path)
  await pause(20)
  mkdirSync(path)
  await first?.release()
  t.ok(existsSync(path))
  rmdirSync(path)
  await first?.release()
})
