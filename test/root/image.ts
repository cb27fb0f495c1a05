/** File systems made for a test: loop images and tmpfs, mounted and always unmounted again. Needs uid 0. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { AM_ROOT, type Ended, run } from '../e2e/driver.ts'
import { pause } from '../e2e/files.ts'

export const KINDS = {
  ext4: { make: ['mkfs.ext4', '-q', '-F'] },
  'ext4 without journal': { make: ['mkfs.ext4', '-q', '-F', '-O', '^has_journal'] },
  xfs: { make: ['mkfs.xfs', '-q', '-f'] },
  btrfs: { make: ['mkfs.btrfs', '-q', '-f'] },
} as const
export type FileSystem = keyof typeof KINDS

export async function must(...argv: string[]): Promise<Ended> {
  const done = await run(argv)
  if (done.status !== 0) throw new Error(`${argv.join(' ')}: ${done.status} ${done.err}`)
  return done
}

/** Why tests with mounts cannot be done here, if they can't. */
export async function whyNot(kind?: FileSystem): Promise<string | undefined> {
  if (!AM_ROOT) return 'needs uid 0'
  const probe = mkdtempSync(join(tmpdir(), 'penny-mount-'))
  try {
    if ((await run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', probe])).status !== 0) return 'may not mount here'
    await must('umount', probe)
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
  if (!kind) return undefined
  if ((await run(['/bin/sh', '-c', `command -v ${KINDS[kind].make[0]}`])).status !== 0) return `${KINDS[kind].make[0]} is not installed`
  if ((await run(['losetup', '-f'])).status !== 0) return 'no loop devices'
  const family = kind.split(' ')[0] ?? ''
  return (await run(['/bin/sh', '-c', `grep -qw ${family} /proc/filesystems || modprobe ${family}`])).status === 0 ? undefined : `the kernel has no ${family}`
}

/**
 * A folder that is taken away after the test, whatever is mounted in it. It shares its mounts and their ends with every
 * namespace that is made meanwhile (mount_namespaces(7)): a test with a namespace of its own would else keep a disk alive
 * that this one has unmounted.
 */
export async function workplace(t: Test): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'penny-fs-'))
  chmodSync(folder, 0o755)
  await must('mount', '--bind', folder, folder)
  await must('mount', '--make-shared', folder)
  t.teardown(async () => {
    for (const name of ['before', 'after', 'full'])
      if ((await run(['mountpoint', '-q', join(folder, name)])).status === 0) await run(['umount', '-l', join(folder, name)])
    await run(['umount', '-l', folder])
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  return folder
}

export async function mountTmpfs(folder: string, options: string): Promise<string> {
  const point = join(folder, 'full')
  mkdirSync(point)
  await must('mount', '-t', 'tmpfs', '-o', `${options},mode=755`, 'none', point)
  return point
}

/** A new file system of that kind in a sparse file of 400 MB (xfs wants at least 300). */
export async function makeImage(folder: string, kind: FileSystem, ...more: string[]): Promise<string> {
  const image = join(folder, 'disk.img')
  rmSync(image, { force: true })
  await must('truncate', '-s', '400M', image)
  await must(...KINDS[kind].make, ...more, image)
  return image
}

export async function mountImage(image: string, point: string, options = ''): Promise<string> {
  mkdirSync(point, { recursive: true })
  await must('mount', '-o', ['loop', options].filter(Boolean).join(','), image, point)
  return point
}

/** Ends a mount, and waits until the kernel has let go of the image: before that it isn't there to be mended. */
export async function unmountImage(image: string, point: string): Promise<void> {
  await must('umount', point)
  const start = performance.now()
  while ((await must('losetup', '-j', image)).out) {
    if (performance.now() - start > 20_000) throw new Error(`${image} is still in use 20 s after umount`)
    await pause(50)
  }
}
