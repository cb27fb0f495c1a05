/**
 * Drops that wait for the same (room in one mailbox, room on the disk) stand in line, in each drop folder in a line of its own, so that
 * one folder's crowd is not before the drops of the others. Only the first of a line is looked at again and again: when it gets
 * through, more and more of those behind it are, until there is no room once more.
 */
import type { Desk } from './desk.ts'

export type Lines = Readonly<{
  /** Takes a place in line, or keeps the one it has. True: it is (among) the first. */
  join: (desk: Desk, name: string, line: string) => boolean
  isFirst: (desk: Desk, name: string) => boolean
  /** It waits for that no more; `through`: it got what it waited for, so there may be more. False: it stood in no line. */
  leave: (desk: Desk, name: string, through: boolean) => boolean
  /** Whether this drop need not let others go before it: it stands in line itself, or nobody does. */
  mayPass: (desk: Desk, name: string, line: string) => boolean
  /** A drop folder that is none any more. */
  forget: (desk: Desk) => void
}>

/** Of each line, as long as there is no room: whoever is first is asked for again and again, and so goes first. */
const FIRST = 1
/** At most so many at once when there is room for many: enough to share an fsync. */
const MOST_FIRST = 256

/** A set that lost many is slow to begin: it is made anew after so many. */
const MADE_ANEW_AFTER = 256

type Line = { names: Set<string>; first: number; left: number }

export function createLines(wake: (desk: Desk, name: string) => void): Lines {
  const lines = new Map<string, Map<Desk, Line>>()
  const placeOf = new Map<Desk, Map<string, string>>()

  function lineOf(desk: Desk, name: string): Line | undefined {
    const line = placeOf.get(desk)?.get(name)
    return line === undefined ? undefined : lines.get(line)?.get(desk)
  }

  function firstOf({ names, first }: Line): string[] {
    const found: string[] = []
    for (const name of names) {
      if (found.length === first) break
      found.push(name)
    }
    return found
  }

  function leave(desk: Desk, name: string, through: boolean): boolean {
    const line = placeOf.get(desk)?.get(name)
    const desks = line === undefined ? undefined : lines.get(line)
    const own = desks?.get(desk)
    if (line === undefined || !desks || !own) return false
    placeOf.get(desk)?.delete(name)
    desks.delete(desk)
    own.names.delete(name)
    if (++own.left % MADE_ANEW_AFTER === 0) own.names = new Set(own.names)
    if (through) own.first = Math.min(MOST_FIRST, own.first + 1)
    // The folder that waits longest for its turn goes next, this one is the last of them now.
    const [next] = desks
    if (own.names.size > 0) desks.set(desk, own)
    if (desks.size === 0) lines.delete(line)
    if (next) for (const one of firstOf(next[1])) wake(next[0], one)
    for (const one of firstOf(own)) wake(desk, one)
    return true
  }

  return {
    leave,
    join: (desk, name, line) => {
      const places = placeOf.get(desk) ?? new Map<string, string>()
      placeOf.set(desk, places)
      if (places.get(name) !== line) leave(desk, name, false)
      places.set(name, line)
      const desks = lines.get(line) ?? new Map<Desk, Line>()
      lines.set(line, desks)
      const own = desks.get(desk) ?? { names: new Set(), first: FIRST, left: 0 }
      desks.set(desk, own)
      // It had its turn, and there is no room: nor is there for those behind it.
      if (own.names.has(name)) own.first = FIRST
      own.names.add(name)
      return firstOf(own).includes(name)
    },
    isFirst: (desk, name) => {
      const line = lineOf(desk, name)
      return line === undefined || firstOf(line).includes(name)
    },
    mayPass: (desk, name, line) => placeOf.get(desk)?.has(name) === true || !lines.has(line),
    forget: (desk) => {
      for (const line of new Set(placeOf.get(desk)?.values())) {
        lines.get(line)?.delete(desk)
        if (lines.get(line)?.size === 0) lines.delete(line)
      }
      placeOf.delete(desk)
    },
  }
}
