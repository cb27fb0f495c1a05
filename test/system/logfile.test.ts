import { closeSync, existsSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import t from 'tap'
import { boundedWriter, boundLog, endOf } from '../../src/system/logfile.ts'

const MIB = 1024 ** 2

t.test('a log past its size begins again, its end beside it; who has it open goes on', (t) => {
  const dir = t.testdir({ 'daemon.log': 'one\ntwo\nthree\n' })
  const path = `${dir}/daemon.log`
  boundLog(`${dir}/none`)
  boundLog(path, 14)
  t.notOk(existsSync(`${path}.1`), 'up to its size it is left alone')
  const fd = openSync(path, 'a')
  boundLog(path, 10)
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'two\nthree\n')
  writeSync(fd, 'four\n')
  t.equal(readFileSync(path, 'utf8'), 'four\n', 'no hole where the old lines were')
  boundLog(path, 3)
  t.equal(readFileSync(`${path}.1`, 'utf8'), 'ur\n', 'one older is kept')
  closeSync(fd)
  t.end()
})

t.test('a daemon in the background bounds its own log while it runs, and no other file', (t) => {
  const dir = t.testdir({ other: '' })
  const path = `${dir}/daemon.log`
  const fd = openSync(path, 'a')
  const stderr = { fd, write: (line: string) => writeSync(fd, line) }
  const write = boundedWriter(path, stderr)
  const line = `${'x'.repeat(64 * 1024 - 1)}\n`
  let most = 0
  for (let written = 0; written < 40 * MIB; written += line.length) {
    write(line)
    most = Math.max(most, statSync(path).size)
  }
  t.ok(most > 4 * MIB && most < 9 * MIB, `${most} bytes at most`)
  t.ok(statSync(`${path}.1`).size <= 8 * MIB)
  truncateSync(`${dir}/other`, 20 * MIB)
  boundedWriter(`${dir}/other`, stderr)(line)
  t.equal(statSync(`${dir}/other`).size, 20 * MIB, 'a log that it does not write to is not its own')
  closeSync(fd)
  t.end()
})

t.test('a log that cannot be shortened says so', (t) => {
  const dir = t.testdir({ 'daemon.log.1': {} })
  const path = `${dir}/daemon.log`
  writeFileSync(path, '')
  truncateSync(path, 9 * MIB)
  const fd = openSync(path, 'a')
  boundedWriter(path, { fd, write: (line) => writeSync(fd, line) })('first\n')
  t.match(endOf(path, 9 * MIB).toString(), /^first\n.*could not be shortened.*EISDIR/)
  closeSync(fd)
  t.end()
})

t.test('the end of a log larger than any buffer is read', (t) => {
  const path = `${t.testdir({})}/daemon.log`
  writeFileSync(path, '')
  truncateSync(path, 3 * 1024 ** 3)
  const fd = openSync(path, 'a')
  writeSync(fd, 'the end\n')
  closeSync(fd)
  t.equal(endOf(path, 3 * 1024 ** 3).toString(), 'the end\n')
  t.equal(endOf(path, 0, 4).toString(), 'end\n')
  t.equal(endOf(path, 9 * 1024 ** 3, 4).toString(), 'end\n', 'also where it was longer before')
  boundLog(path)
  t.equal(statSync(path).size, 0)
  t.equal(statSync(`${path}.1`).size, 8 * MIB)
  t.end()
})
