import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { breakable } from '../journal/ground.ts'

const MIB = 1024 * 1024

t.test('a copy has the bytes and the length of its original, and its holes take no room', async (t) => {
  const folder = t.testdir()
  const { disk } = breakable()
  writeFileSync(`${folder}/from`, 'begin')
  truncateSync(`${folder}/from`, 8 * MIB + 17)
  const fd = openSync(`${folder}/from`, 'r')
  const { bytes } = await disk.copyOut(fd, `${folder}/to`, 16 * MIB, 0o640)
  closeSync(fd)
  t.equal(bytes, 8 * MIB + 17)
  t.ok(readFileSync(`${folder}/to`).equals(readFileSync(`${folder}/from`)))
  t.ok(statSync(`${folder}/to`).blocks * 512 < MIB, 'most of it is a hole')
})

t.test('a file is read up to a limit, and refused above it', async (t) => {
  const folder = t.testdir({ file: 'twelve bytes' })
  const { disk } = breakable()
  t.equal(disk.readFile(`${folder}/file`, 12).toString(), 'twelve bytes')
  t.throws(() => disk.readFile(`${folder}/file`, 11), { code: 'EFBIG' })
})

t.test('a pipe in the place of a file that is to be appended to keeps nobody waiting', async (t) => {
  const folder = t.testdir()
  const { disk } = breakable()
  execFileSync('mkfifo', [`${folder}/log`])
  t.throws(() => disk.openAppend(`${folder}/log`, 0o600), { code: 'ENXIO' })
})
