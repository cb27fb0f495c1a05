import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { accounting, isTrue, organisation, run } from '../e2e/driver.ts'
import { lettersOf, message, pause, until } from '../e2e/files.ts'
import { makeImage, mountImage, must, unmountImage, whyNot, workplace } from './image.ts'

const skip = { skip: (await whyNot('ext4')) ?? false }

tap.test(
  'a disk that goes read-only in the middle of a burst: nothing is lost, nothing twice, and a restart on a mended disk finds it all',
  skip,
  async (t) => {
    tap.setTimeout(240_000)
    const folder = await workplace(t)
    const image = await makeImage(folder, 'ext4')
    const point = await mountImage(image, join(folder, 'before'), 'errors=remount-ro')
    const device = (await must('findmnt', '-no', 'SOURCE', point)).out.trim().replace('/dev/', '')
    const spare = join(folder, 'spare.img')
    await must('truncate', '-s', '1M', spare)
    const count = 400
    const body = (n: number): string => `message ${n}\n${'x'.repeat(2000)}`
    await t.test('the burst', async (t) => {
      const org = await organisation(t, { base: point })
      await org.up()
      for (let n = 0; n < count; n++) org.drop(`spool/legal/m-${n}.md`, message({ subject: `message ${n}` }, body(n)))
      // what a sender has synced is on the disk; the rest a crash of the disk may take, and that is not the daemon's doing
      await must('sync', '-f', point)
      // the kernel's own way to say that the disk failed: with errors=remount-ro the file system turns read-only at once
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1')
      t.not((await run(['touch', join(point, 'probe')])).status, 0, 'it is read-only')
      await pause(3000)
      if (org.running()) {
        const status = await org.penny(['status'])
        t.match(`${status.out}${status.err}${org.log()}`, /read-only|EROFS|disk/i, 'it says what is wrong')
        t.ok(lettersOf(org.root, 'legal').length <= count)
        await org.end('SIGTERM')
      } else {
        t.match(org.log(), /read-only|EROFS|disk/i, 'it said why it ended')
      }
    })
    await unmountImage(image, point)
    const mended = await run(['e2fsck', '-y', '-f', image])
    // 1: errors were corrected (e2fsck(8)); with one left the kernel would mount it as it was
    t.ok(mended.status !== null && mended.status <= 2, mended.out)
    // a disk that comes back may have another device number: this one is taken
    const number = (await must('losetup', '--find', '--show', spare)).out.trim()
    t.teardown(() => must('losetup', '--detach', number))
    await mountImage(image, point)
    await t.test('the restart', async (t) => {
      const org = await organisation(t, { existing: point })
      await org.up()
      const letters = await until(
        'every message',
        () => {
          const all = lettersOf(org.root, 'legal')
          return all.length >= count && all
        },
        30_000,
      )
      t.equal(letters.length, count)
      t.equal(new Set(letters.map((one) => one.head.get('subject'))).size, count, 'each once')
      t.same(
        letters.filter((one) => one.body.toString() !== body(Number(one.head.get('subject')?.split(' ')[1]))).map((one) => one.file),
        [],
      )
      await until('no drop is left', () => readdirSync(org.at('spool/legal')).filter((file) => file.endsWith('.md')).length === 0)
      const line = await accounting(org)
      t.ok(isTrue(line) && line.copies === count, JSON.stringify(line))
      await org.end()
    })
  },
)
