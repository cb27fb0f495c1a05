import { watch } from 'node:fs'
import type { Native } from './native.ts'
import type { Watch } from './types.ts'

/** One inotify watch a folder: 0.07 ms to a report, 3 KB each (docs/decisions/0003-watching.md). */
export function realWatch(native: Native | undefined): Watch {
  return (folder, report) => {
    const watcher = watch(folder, { persistent: false })
    watcher.on('change', (event, name) => report(name === null ? null : String(name), event === 'change'))
    // The folder went away; the sweep notices and the provisioner makes it again.
    watcher.on('error', () => report(null, false))
    native?.reportCloses(folder)
    return () => watcher.close()
  }
}
