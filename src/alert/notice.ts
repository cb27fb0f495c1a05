/** The commands of `org.yaml: notify:`, at a rate that a person's telephone bears. */
import { counted } from '../core/text.ts'
import type { Clock } from '../system/types.ts'

const WINDOW_MS = 60_000
const MOST_IN_WINDOW = 10

export type Notices = Readonly<{
  /** Sends the text, or counts it where ten were sent within this minute. */
  send: (text: string) => void
  /** Says how many were not sent, once their minute is over. */
  settle: () => void
}>

/** `commands` is asked each time: the configuration may have changed. */
export function makeNotices(clock: Clock, commands: () => readonly (readonly string[])[], run: (argv: readonly string[], text: string) => void): Notices {
  let begun = Number.NEGATIVE_INFINITY
  let sent = 0
  let kept = 0
  const toAll = (text: string): void => {
    for (const argv of commands()) run(argv, text)
  }
  function settle(): void {
    if (clock.monotonic() - begun < WINDOW_MS) return
    if (kept > 0) toAll(`${counted(kept, 'more alert was', 'more alerts were')} raised after the last one you were told of.\n\n    penny alerts\n`)
    sent = 0
    kept = 0
  }
  return {
    send: (text) => {
      settle()
      if (sent === 0) begun = clock.monotonic()
      if (sent >= MOST_IN_WINDOW) kept++
      else {
        sent++
        toAll(text)
      }
    },
    settle,
  }
}
