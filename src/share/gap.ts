/**
 * How far apart requests must be for a provider that lets in one at a time, whatever it allows a minute. What it loses during each freeze makes
 * its rate impossible to count; but each gap is either borne or refused, so the least that is borne is searched for by halves, and kept to.
 */

/** Borne so often, a gap is believed: on the way one request may gain on the next. */
const BELIEVED = 8
/** Near enough. */
const NEAR = 0.04
/** A gap that is refused though it had been borne: a little more, and twice as much with each that follows soon. */
const [MORE, MUCH, SOON] = [0.03, 0.5, 20]
/** Then a shorter one is tried after so many; twice as many after each that failed. */
const [FEWEST, MOST] = [60, 480]
/** The first one, of which little is known. */
const FIRST = 3
/** And by so much. */
const LESS = 0.93

export type Gap = Readonly<{
  ms: () => number
  accepted: (sentMs: number) => void
  refused: (sentMs: number, nowMs: number) => void
}>

/** `borne`: a gap that was, so long. */
export function createGap(borne: number, startMs: number): Gap {
  let good = borne
  let bad = 0
  let now = borne
  let sinceMs = startMs
  let streak = 0
  let patience = FIRST
  let more = MUCH

  const go = (gap: number, nowMs: number): void => {
    ;[now, sinceMs, streak] = [gap, nowMs, 0]
  }
  const search = (nowMs: number): void => go(good - bad > good * NEAR ? (good + bad) / 2 : good, nowMs)

  return {
    ms: () => now,
    accepted: (sentMs) => {
      if (sentMs < sinceMs || ++streak < (now === good ? patience : BELIEVED)) return
      // A settled one has been borne for long: a shorter one is tried.
      if (now !== good) good = now
      else if (patience > FIRST) bad = good * LESS ** 2
      ;[patience, more] = [Math.max(FEWEST, patience), MORE]
      search(sentMs)
    },
    refused: (sentMs, nowMs) => {
      if (sentMs < sinceMs) return
      if (now === good) {
        more = streak < SOON ? Math.min(MUCH, 2 * more) : MORE
        good *= 1 + more
      } else patience = Math.min(MOST, patience * 2)
      bad = Math.max(bad, now)
      search(nowMs)
    },
  }
}
