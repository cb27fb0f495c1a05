/** What doctor tries of the machine: Node, the kernel's limits, clocks, other uids. */
import { readFileSync, statSync } from 'node:fs'
import { counted, shellWord } from '../core/text.ts'
import { type Finding, note, ok, skipped, wrong } from './check.ts'
import { UNSEEN, unless } from './exit.ts'

/** package.json: engines. */
const LEAST_NODE = [20, 19] as const
/** A folder is a watch, and other programs of the same user want some. */
const SPARE_WATCHES = 1024

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  return enough ? ok('node', `Node ${version}`) : wrong('node', `Node ${version} is older than ${LEAST_NODE.join('.')}`, 'nvm install 22')
}

/** `folders`: how many the daemon watches. */
export function checkWatches(folders: number): Finding {
  const limit = (name: string): number => Number(unless(UNSEEN, () => readFileSync(`/proc/sys/fs/inotify/${name}`, 'utf8')) ?? Number.NaN)
  const [watches, instances] = [limit('max_user_watches'), limit('max_user_instances')]
  if (Number.isNaN(watches)) return note('inotify', 'the limits of file watches cannot be read; mail is found by the sweep where watches fail')
  if (watches < folders + SPARE_WATCHES)
    return wrong(
      'inotify',
      `the kernel allows ${counted(watches, 'watch', 'watches')}, ${counted(folders, 'folder is', 'folders are')} watched`,
      'sudo sysctl fs.inotify.max_user_watches=524288',
    )
  if (instances < 16) return wrong('inotify', `the kernel allows ${counted(instances, 'watcher')} a user`, 'sudo sysctl fs.inotify.max_user_instances=512')
  return ok('inotify', `${counted(watches, 'watch', 'watches')} allowed, ${counted(folders, 'folder is', 'folders are')} watched`)
}

/** Whoever may write a folder above the root may put another root in its place. */
export function checkPathTo(root: string): Finding[] {
  const parts = root.split('/').filter((part) => part !== '')
  return ['/', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)].flatMap((path): Finding[] => {
    const stat = unless(UNSEEN, () => statSync(path))
    if (!stat) return [skipped('path', `${path} may not be looked at`)]
    const sticky = (stat.mode & 0o1000) !== 0 && stat.uid === 0
    const mine = stat.uid === 0 || stat.uid === process.geteuid?.()
    // In system mode every run has a uid of its own, which must get here.
    const shut = process.geteuid?.() === 0 && (stat.mode & 0o001) === 0
    if (shut)
      return [
        wrong(
          'path',
          `${path} cannot be entered by agents (${(stat.mode & 0o7777).toString(8)}), so none of their runs can start`,
          `chmod o+x ${shellWord(path)}`,
        ),
      ]
    if (!mine) return [note('path', `${path} belongs to uid ${stat.uid}, who can put another folder in the place of the root`, `chown root ${shellWord(path)}`)]
    return (stat.mode & 0o022) !== 0 && !sticky
      ? [note('path', `${path} can be written by others (${(stat.mode & 0o7777).toString(8)})`, `chmod go-w ${shellWord(path)}`)]
      : []
  })
}
