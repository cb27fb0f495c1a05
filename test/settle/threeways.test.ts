import fc from 'fast-check'
import t from 'tap'
import { parseMessage } from '../../src/message/index.ts'
import { mergeThreeWays } from '../../src/settle/threeways.ts'

const BASE = Array.from({ length: 12 }, (_, i) => `base ${i}`)
const front = (updated: string): string => `---\nid: 1\nupdated: ${updated}\n---\n`
const text = (updated: string, lines: readonly string[]): Buffer => Buffer.from(front(updated) + lines.join('\n'))

/** Base lines `from` to `to` replaced by so many of one's own. */
type Hunk = Readonly<{ from: number; to: number; count: number }>
const own = (who: string, { count }: Hunk): string[] => Array.from({ length: count }, (_, i) => `${who} ${i}`)
const change = (who: string, hunk: Hunk): string[] => [...BASE.slice(0, hunk.from), ...own(who, hunk), ...BASE.slice(hunk.to)]
const merged = (ours: Hunk, theirs: Hunk): Buffer | undefined =>
  mergeThreeWays(text('was', BASE), text('ours', change('ours', ours)), text('was', change('theirs', theirs)))

const four = fc.array(fc.nat(BASE.length), { minLength: 4, maxLength: 4 }).map((at) => at.sort((a, b) => a - b) as [number, number, number, number])
const counts = fc.tuple(fc.nat(3), fc.nat(3))

function holds<T>(test: Tap, property: fc.IProperty<T>): void {
  const { failed, counterexample, errorInstance, seed } = fc.check(property, { numRuns: 500 })
  test.notOk(failed, `seed ${seed}: ${JSON.stringify(counterexample)} ${String(errorInstance)}`)
}
type Tap = Readonly<{ notOk: (what: unknown, message: string) => unknown }>

t.test('changes at different places come together: each line of both is there, in its order, and none that either took away', async (t) => {
  holds(
    t,
    fc.property(four, counts, fc.boolean(), ([a, b, c, d], [i, j], oursFirst) => {
      const [first, second] = [
        { from: a, to: b, count: i },
        { from: c, to: d, count: j },
      ]
      const [ours, theirs] = oursFirst ? [first, second] : [second, first]
      const lines = merged(ours, theirs)?.toString('utf8').slice(front('ours').length).split('\n') ?? []
      const of = (who: string): string[] => lines.filter((line) => line.startsWith(who))
      const left = BASE.filter((_, at) => !(at >= a && at < b) && !(at >= c && at < d))
      const expected = [left, own('ours', ours), own('theirs', theirs)]
      return JSON.stringify([of('base'), of('ours'), of('theirs')]) === JSON.stringify(expected)
    }),
  )
})

t.test('changes of the same lines are not brought together', async (t) => {
  holds(
    t,
    fc.property(four, counts, fc.boolean(), ([a, b, c, d], [i, j], oursFirst) => {
      fc.pre(b < c)
      const [first, second] = [
        { from: a, to: c, count: i },
        { from: b, to: Math.max(d, b + 1), count: j },
      ]
      return (oursFirst ? merged(first, second) : merged(second, first)) === undefined
    }),
  )
})

t.test('what would leave a front matter without a key is not brought together', async (t) => {
  const [seen, late] = [Buffer.from('---\nid: 1\n---\nbody\n'), Buffer.from('---\nupdated: 2\n---\nbody\n')]
  t.equal(mergeThreeWays(seen, seen, late), undefined)
})

t.test('whatever the three texts are, what comes of them parses, or nothing does', async (t) => {
  const line = fc.constantFrom('---', 'updated: 1', 'updated: 2', 'status: open', 'result: "', 'x-a: 1', '# note', 'progress: |', '  more', '', 'body', '\r')
  const any = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(`---\n${lines.join('\n')}\n`)),
    fc.array(line, { maxLength: 4 }).map((lines) => Buffer.from(`---\nid: 1\n---\n${lines.join('\n')}`)),
  )
  holds(
    t,
    fc.property(any, any, any, (seen, whole, late) => {
      const merged = mergeThreeWays(seen, whole, late)
      return merged === undefined || parseMessage(merged, { frontMatterBytes: merged.length }).ok
    }),
  )
})
