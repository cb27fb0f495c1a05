import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { lockRoot, secretOf } from '../../src/daemon/lock.ts'
import { fails } from '../journal/ground.ts'

/** Calls `before` once, before a new secret gets its name. */
function beforeItsName<T>(before: () => void, work: () => T): T {
  const { linkSync } = fs
  const restore = (): void => {
    Object.assign(fs, { linkSync })
    syncBuiltinESMExports()
  }
  Object.assign(fs, {
    linkSync: (from: string, to: string) => {
      restore()
      before()
      linkSync(from, to)
    },
  })
  syncBuiltinESMExports()
  try {
    return work()
  } finally {
    restore()
  }
}

t.test('of two first starts at once both read one secret, so that one of them gets the lock', async (t) => {
  const own = t.testdir({})
  let second: string | undefined
  const first = beforeItsName(
    () => (second = secretOf(own)),
    () => secretOf(own),
  )
  t.match(first, /^[0-9a-f]{48}$/)
  t.equal(first, second)
  t.same(fs.readdirSync(own), ['lock'], 'nothing else is left')
  t.equal(fs.statSync(`${own}/lock`).mode & 0o777, 0o600)
  const lock = await lockRoot(first ?? '')
  t.same(await lockRoot(second ?? ''), { heldBy: process.pid })
  if ('release' in lock) lock.release()
})

t.test('a first start that is cut off before the secret is whole leaves none, and an empty one is never used', (t) => {
  const own = t.testdir({})
  t.throws(() => beforeItsName(fails('ENOSPC'), () => secretOf(own)), { code: 'ENOSPC' })
  t.notOk(fs.existsSync(`${own}/lock`))
  fs.writeFileSync(`${own}/lock`, '')
  t.equal(secretOf(own), undefined, 'anybody can compute the lock of an empty secret')
  t.equal(fs.readFileSync(`${own}/lock`, 'utf8'), '', 'and no start may replace it under another one')
  fs.unlinkSync(`${own}/lock`)
  const secret = secretOf(own)
  t.match(secret, /^[0-9a-f]{48}$/)
  t.equal(secretOf(own), secret, 'it stays')
  t.end()
})
