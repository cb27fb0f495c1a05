/** A binary heap: the first of many in O(log n). */

export type Heap<T> = Readonly<{
  push: (item: T) => void
  first: () => T | undefined
  takeFirst: () => T | undefined
  size: () => number
}>

/** `items` is taken over and put in order in O(n). */
export function makeHeap<T>(before: (a: T, b: T) => boolean, items: T[] = []): Heap<T> {
  const less = (i: number, j: number): boolean => {
    const [a, b] = [items[i], items[j]]
    return a !== undefined && b !== undefined && before(a, b)
  }
  const swap = (i: number, j: number): void => {
    const [a, b] = [items[i], items[j]]
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a]
  }
  const sink = (from: number): void => {
    for (let at = from; ; ) {
      const left = 2 * at + 1
      const child = left + 1 < items.length && less(left + 1, left) ? left + 1 : left
      if (child >= items.length || !less(child, at)) return
      swap(at, child)
      at = child
    }
  }
  for (let at = (items.length >> 1) - 1; at >= 0; at--) sink(at)
  return {
    push: (item) => {
      items.push(item)
      for (let at = items.length - 1; at > 0; ) {
        const parent = (at - 1) >> 1
        if (!less(at, parent)) return
        swap(at, parent)
        at = parent
      }
    },
    first: () => items[0],
    takeFirst: () => {
      const first = items[0]
      const last = items.pop()
      if (last !== undefined && items.length > 0) {
        items[0] = last
        sink(0)
      }
      return first
    },
    size: () => items.length,
  }
}
