/** Two texts made from one, brought together: what each changed, where they don't touch the same place. Pure. */
import type { Value } from '../core/message.ts'
import { type MessageText, parseMessage, rewrite } from '../message/index.ts'

/**
 * `late` with everything that `whole` has changed since `seen`, from which both were made; undefined where that cannot be done, or
 * would take something of `whole` away. A status, or what no holder may change, is weighed elsewhere: there `late` may say otherwise.
 */
export function mergeThreeWays(seen: Buffer, whole: Buffer, late: Buffer): Buffer | undefined {
  const [was, ours, theirs] = [parse(seen), parse(whole), parse(late)]
  if (!was || !ours || !theirs) return undefined
  const front = mergeFronts(was, ours, theirs)
  const body = mergeBodies(bodyOf(was), bodyOf(ours), bodyOf(theirs))
  if (front === undefined || body === undefined) return undefined
  const merged = Buffer.from(front + body)
  // The holder may have taken every line but one away, and that one may have gone with `whole`: nothing is left that parses.
  return parse(merged) && merged
}

function parse(text: Buffer): MessageText | undefined {
  const parsed = parseMessage(text, { frontMatterBytes: text.length })
  return parsed.ok && parsed.message.hasFrontMatter ? parsed.message : undefined
}

const frontOf = ({ text, bodyAt }: MessageText): string => text.slice(0, bodyAt)
const bodyOf = ({ text, bodyAt }: MessageText): string => text.slice(bodyAt)

/** With the `updated` of `ours`, since the text now has what that one has. */
function mergeFronts(was: MessageText, ours: MessageText, theirs: MessageText): string | undefined {
  if (frontOf(was) === frontOf(theirs)) return frontOf(ours)
  const edits: Record<string, Value | undefined> = { updated: ours.values['updated'] }
  for (const key of Object.keys({ ...was.values, ...ours.values })) {
    const [before, mine, other] = [was, ours, theirs].map(({ values }) => JSON.stringify(values[key]))
    if (mine === before || mine === other || key === 'updated') continue
    if (other === before) edits[key] = ours.values[key]
    else if (/^(?:result|progress|blocked_on|x-.*)$/.test(key)) return undefined
  }
  const known = new Set([...commentsOf(was), ...commentsOf(theirs)])
  return commentsOf(ours).every((line) => known.has(line)) ? rewrite(frontOf(theirs), edits) : undefined
}

const commentsOf = (text: MessageText): string[] =>
  frontOf(text)
    .split('\n')
    .filter((line) => /^\s*#/.test(line))

type Hunk = Readonly<{ from: number; to: number; lines: readonly string[] }>

/** What both put in at one place stands there one after the other. */
function mergeBodies(was: string, ours: string, theirs: string): string | undefined {
  if (was === ours) return theirs
  if (was === theirs) return ours
  const before = was.split('\n')
  const [mine, other] = [hunkOf(before, ours.split('\n')), hunkOf(before, theirs.split('\n'))]
  const otherFirst = other.from < mine.from || (other.from === mine.from && other.to < mine.to)
  const [first, second] = otherFirst ? [other, mine] : [mine, other]
  if (first.to > second.from) return undefined
  return [...before.slice(0, first.from), ...first.lines, ...before.slice(first.to, second.from), ...second.lines, ...before.slice(second.to)].join('\n')
}

/** The lines of `before` from the first to the last that changed, and what stands there now: in linear time, whatever is in them. */
function hunkOf(before: readonly string[], now: readonly string[]): Hunk {
  const shorter = Math.min(before.length, now.length)
  let from = 0
  while (from < shorter && before[from] === now[from]) from++
  let same = 0
  while (same < shorter - from && before[before.length - 1 - same] === now[now.length - 1 - same]) same++
  return { from, to: before.length - same, lines: now.slice(from, now.length - same) }
}
