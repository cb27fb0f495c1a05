/** The watches of all rooms: those that the kernel refuses are asked for again, and the alert lasts as long as one is missing. */
import type { Clear, Raise } from '../core/post.ts'
import type { Cancel, Watch } from '../system/types.ts'

export type Watches = Readonly<{
  /** Does not throw where the kernel allows no more: the sweep finds what nobody reports. */
  watch: Watch
  /** Asks again for those that were refused. */
  retry: () => void
  /** Some are refused at present. */
  isShort: () => boolean
}>

const REFUSALS = ['ENOSPC', 'EMFILE']

export function createWatches(real: Watch, raise: Raise, clear: Clear): Watches {
  const refused = new Set<() => void>()

  function tell(): void {
    if (refused.size === 0) return clear('watch-limit', 'watches')
    raise({
      code: 'watch-limit',
      about: 'watches',
      sentence: 'The kernel allows no more file watches; new mail and changes are found by the sweep, up to 1.5 s later.',
      fix: 'sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024',
    })
  }

  return {
    isShort: () => refused.size > 0,
    watch: (folder, report) => {
      let cancel: Cancel = () => undefined
      const ask = (): void => {
        try {
          cancel = real(folder, report)
          refused.delete(ask)
        } catch (cause) {
          if (!REFUSALS.includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause
          refused.add(ask)
        }
      }
      ask()
      if (refused.has(ask)) tell()
      return () => {
        refused.delete(ask)
        cancel()
      }
    },
    retry: () => {
      for (const ask of refused) {
        try {
          ask()
        } catch {
          // Gone, or not to be read: its room finds that out and asks anew.
          refused.delete(ask)
        }
      }
      tell()
    },
  }
}
