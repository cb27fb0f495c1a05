/** Commands of `notify:`, of org.yaml and of a person's file, at a rate that a person's telephone bears. */
import type { Clock } from '../system/types.ts'

const WINDOW_MS = 60_000
const MOST_IN_WINDOW = 10
/** Beyond those, the first about everybody else still goes, up to this many: one agent must not silence what is told of the others. */
const MOST_FIRST = 40

export type Notices = Readonly<{
  /** Sends the text, or counts it where ten were sent within this minute. `agent`: whom it is about. */
  send: (text: string, agent: string | undefined) => void
  /** Says how many were not sent, once their minute is over. */
  settle: () => void
}>

/** `commands` is asked each time: the configuration may have changed. `tellMore` says how many were not sent. */
export function makeNotices(
  clock: Clock,
  commands: () => readonly (readonly string[])[],
  run: (argv: readonly string[], text: string) => void,
  tellMore: (count: number) => string,
): Notices {
  let begun = Number.NEGATIVE_INFINITY
  let sent = 0
  let kept = 0
  const about = new Set<string | undefined>()
  const toAll = (text: string): void => {
    for (const argv of commands()) run(argv, text)
  }
  function settle(): void {
    if (clock.monotonic() - begun < WINDOW_MS) return
    if (kept > 0) toAll(tellMore(kept))
    sent = 0
    kept = 0
    about.clear()
  }
  return {
    send: (text, agent) => {
      settle()
      if (sent === 0) begun = clock.monotonic()
      if (sent >= MOST_IN_WINDOW && (about.has(agent) || sent >= MOST_FIRST)) {
        kept++
        return
      }
      sent++
      about.add(agent)
      toAll(text)
    },
    settle,
  }
}
