import { closeSync, openSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import koffi from 'koffi'
import t from 'tap'
import { chooseLease } from '../../src/system/lease.ts'
import { leasesWork, loadNative } from '../../src/system/native.ts'

// Figures from Linux's uapi headers (mman.h); the look through /proc serves 50 ms.
const [PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, LENGTH, A_LOOK_MS] = [1, 2, 1, 2, 4096, 60]
const libc = koffi.load('libc.so.6')
const mmap = libc.func('void *mmap(void *at, size_t length, int prot, int flags, int fd, long offset)')
const munmap = libc.func('int munmap(void *at, size_t length)')

t.test('who mapped a file to write it is a writer, though it closed the file: by the lease and by the look through /proc', async (t) => {
  const folder = t.testdir({})
  const native = await loadNative()
  const ways = [chooseLease(undefined, `${folder}/none`)]
  if (native && leasesWork(native, `${folder}/probe`)) ways.push(chooseLease(native, `${folder}/probe`))
  t.equal(ways[0]?.how, 'proc')
  for (const lease of ways) {
    const file = `${folder}/${lease.how}`
    writeFileSync(file, Buffer.alloc(LENGTH, 'a'))
    for (const [flags, writes] of [
      [MAP_SHARED, true],
      [MAP_PRIVATE, false],
    ] as const) {
      const writer = openSync(file, writes ? 'r+' : 'r')
      const at: unknown = mmap(null, LENGTH, PROT_READ | PROT_WRITE, flags, writer, 0)
      closeSync(writer)
      const fd = openSync(file, 'r')
      await pause(A_LOOK_MS)
      t.equal(lease.take(fd), !writes, `${lease.how}: ${writes ? 'shared' : 'private'} mapping`)
      if (!writes) lease.drop(fd)
      munmap(at, LENGTH)
      await pause(A_LOOK_MS)
      t.ok(lease.take(fd), `${lease.how}: nobody maps it any more`)
      lease.drop(fd)
      closeSync(fd)
    }
  }
})
