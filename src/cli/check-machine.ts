/** What doctor tries of the machine: Node, the kernel's limits, clocks, other uids. */
import { readFileSync } from 'node:fs'
import { counted } from '../core/text.ts'
import type { PathProblem } from '../daemon/index.ts'
import { type Finding, note, ok, skipped, wrong } from './check.ts'
import { UNSEEN, unless } from './exit.ts'

/** package.json: engines. */
const LEAST_NODE = [20, 19] as const
/** A folder is a watch, and other programs of the same user want some. */
const SPARE_WATCHES = 1024

export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
  return enough
    ? ok('node', `Node ${version}`)
    : wrong('node', `Node ${version} is older than ${LEAST_NODE.join('.')}`, 'nvm install 22   # or any other way to a newer Node')
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

/** Whoever may write a folder above the root may put another root in its place; whoever cannot pass it cannot run. */
export function judgePath(root: string, problemsOnTheWay: () => readonly PathProblem[]): Finding[] {
  const problems = unless(UNSEEN, problemsOnTheWay)
  if (!problems) return [skipped('path', `a folder on the way to ${root} may not be looked at`)]
  return problems.map(({ path, what, fix, shutsOut }) => (shutsOut ? wrong : note)('path', `${path} ${what}`, fix))
}
