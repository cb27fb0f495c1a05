/**
 * An ext4 file system with a journal in an image file: the disk that most people have, on machines whose own has none. Needs root, a loop
 * device and e2fsprogs. The image lies on the disk that is measured, so its figures are those of two file systems, one upon the other.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './children.mjs'

/** Sparse, so only what is written takes room. */
const imageSize = '4G'

/** @type {Set<string>} */
const mounted = new Set()

/** Makes and mounts it; an error says what is missing.
 * @param {string} dir
 * @returns {Promise<string>} where it is mounted */
export const mountJournaled = async (dir) => {
  if (process.getuid?.() !== 0) throw new Error('only root can mount a loop image')
  const image = join(dir, 'journal.img')
  const point = join(dir, 'journal')
  mkdirSync(point)
  await run('truncate', ['-s', imageSize, image])
  await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image])
  await run('mount', ['-o', 'loop', image, point])
  mounted.add(point)
  return point
}

/** Unmounts; a mount that is still busy (a killed process not yet gone) is detached and goes with it.
 * @param {string} point */
export const unmount = (point) => {
  if (spawnSync('umount', [point]).status !== 0) spawnSync('umount', ['--lazy', point])
  mounted.delete(point)
  rmSync(`${point}.img`, { force: true })
}

export const unmountAll = () => {
  for (const point of mounted) unmount(point)
}
