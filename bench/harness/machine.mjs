import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, loadavg, release, totalmem } from 'node:os'
import { resolve } from 'node:path'

/** The mount that a folder lies on: the longest mount point that is above it, and the last one mounted there.
 * @param {string} dir */
const mountOf = (dir) => {
  const path = `${resolve(dir)}/`
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point = '-']) => path.startsWith(point === '/' ? '/' : `${point}/`))
    .reduce((best, mount) => ((mount[1]?.length ?? 0) >= (best[1]?.length ?? 0) ? mount : best), ['', '', 'unknown', ''])
}

/** Whether an ext4 file system has a journal: the kernel names the thread that writes it, or says <none>.
 * @param {string} device @param {string} type */
const journalOf = (device, type) => {
  const task = `/sys/fs/ext4/${device.split('/').pop()}/journal_task`
  if (type !== 'ext4' || !existsSync(task)) return ''
  return readFileSync(task, 'utf8').trim() === '<none>' ? ' without a journal' : ' with a journal'
}

/** Processes that wanted a core in the minute before the bench began: what else went on. */
const loadBefore = loadavg()[0] ?? 0

/** The machine in a few lines, without its name: cores, memory, file system, kernel, Node.
 * @param {string} dir the folder that the bench measures in */
export const machineShape = (dir) => {
  const [device = '', , type = 'unknown', options = ''] = mountOf(dir)
  const gib = (/** @type {number} */ bytes) => `${(bytes / 2 ** 30).toFixed(0)} GiB`
  const disk = statfsSync(dir)
  return `| | |
|---|---|
| cores | ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'} (${arch()}) |
| memory | ${gib(totalmem())} |
| file system | ${type}${journalOf(device, type)}; ${options}; ${gib(disk.bavail * disk.bsize)} free |
| kernel | ${process.platform} ${release()} |
| Node | ${process.version} |
| load before the start | ${loadBefore.toFixed(2)} |
| user | ${process.getuid?.() === 0 ? 'root (system mode)' : 'an ordinary user (user mode)'} |`
}
