import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import t from 'tap'
import { writeState, writeStateNow } from '../../src/system/index.ts'

/** What the disk is asked to do meanwhile, in order: paths are relative to `dir`. */
async function asked(dir: string, work: () => Promise<void> | void): Promise<string[]> {
  const calls: string[] = []
  const real = { fsyncSync: fs.fsyncSync, renameSync: fs.renameSync }
  const short = (path: string): string => path.replace(dir, '.').replace(/\.\d+$/, '.tmp')
  Object.assign(fs, {
    fsyncSync: (fd: number) => {
      calls.push(`fsync ${short(fs.readlinkSync(`/proc/self/fd/${fd}`))}`)
      real.fsyncSync(fd)
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${short(from)} ${short(to)}`)
      real.renameSync(from, to)
    },
  })
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    Object.assign(fs, real)
    syncBuiltinESMExports()
  }
  return calls
}

t.test('state that is used at once is on the medium under its name when the call returns', async (t) => {
  const dir = t.testdir({ 'uids.yaml': 'old' })
  const calls = await asked(dir, () => writeStateNow(`${dir}/uids.yaml`, 'new'))
  t.same(calls, ['fsync ./uids.yaml.tmp', 'rename ./uids.yaml.tmp ./uids.yaml', 'fsync .'], 'the file, its name, the folder that tells the name')
  t.equal(fs.readFileSync(`${dir}/uids.yaml`, 'utf8'), 'new')
  t.equal(fs.statSync(`${dir}/uids.yaml`).mode & 0o777, 0o600)
  t.throws(() => writeStateNow(`${dir}/none/uids.yaml`, 'new'), { code: 'ENOENT' })
})

t.test('state that may be a moment old waits for the medium without holding up anybody, and the last call wins', async (t) => {
  const dir = t.testdir({})
  const calls = await asked(dir, async () => {
    await Promise.all([writeState(`${dir}/mark.json`, '1'), writeState(`${dir}/mark.json`, '2'), writeState(`${dir}/mark.json`, '3')])
  })
  t.same(calls, [], 'no call of it blocks')
  t.equal(fs.readFileSync(`${dir}/mark.json`, 'utf8'), '3')
  t.same(fs.readdirSync(dir), ['mark.json'])
  await t.rejects(writeState(`${dir}/none/mark.json`, '1'), { code: 'ENOENT' })
})
