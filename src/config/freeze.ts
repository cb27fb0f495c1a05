/** A snapshot cannot be changed by whoever holds it: by mistake neither, not only by type. */

/** A map that refuses `set`, `delete` and `clear`. */
export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  const map = new Map<K, V>(entries)
  const refuse = (): never => {
    throw new TypeError('a configuration is never changed: load another one')
  }
  for (const method of ['set', 'delete', 'clear']) Object.defineProperty(map, method, { value: refuse })
  return Object.freeze(map)
}

/** Freezes plain data to its leaves; maps made by `frozenMap` are frozen in their values. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Map) for (const inner of value.values()) deepFreeze(inner)
  else for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
