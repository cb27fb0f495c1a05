/** Keys of programs outside a jail, which speak to the gateway over TCP as an agent: only their digests are kept. */
import { hash, randomBytes } from 'node:crypto'
import type { Name } from '../core/names.ts'
import { type Disk, readKept, writeStateNow } from '../system/index.ts'

export type CallerKeys = Readonly<{
  /** sha256, hex, of those that count. */
  of: (agent: Name) => readonly string[]
  /** A new one, which nobody can show again. The one before still counts, so that programs can be changed one after the other. */
  make: (agent: Name) => string
  /** Takes all of them back; returns how many. */
  revoke: (agent: Name) => number
}>

/** The new one and the one before. */
const MOST_KEYS = 2
const DIGEST = /^[0-9a-f]{64}$/

export function openCallerKeys(disk: Disk, path: string): CallerKeys {
  const kept = read(disk, path)

  function save(): void {
    writeStateNow(path, `${JSON.stringify(Object.fromEntries(kept))}\n`)
  }

  return {
    of: (agent) => kept.get(agent) ?? [],
    make: (agent) => {
      const key = `penny-${randomBytes(24).toString('base64url')}`
      kept.set(agent, [hash('sha256', key, 'hex'), ...(kept.get(agent) ?? [])].slice(0, MOST_KEYS))
      save()
      return key
    },
    revoke: (agent) => {
      const count = kept.get(agent)?.length ?? 0
      if (kept.delete(agent)) save()
      return count
    },
  }
}

/** What is spoiled is no key: whoever had one is refused and gets another. */
function read(disk: Disk, path: string): Map<string, readonly string[]> {
  const text = readKept(disk, path)
  const found: unknown = text === undefined ? {} : parse(text)
  if (typeof found !== 'object' || found === null) return new Map()
  return new Map(
    Object.entries(found).flatMap(([agent, digests]: [string, unknown]) =>
      Array.isArray(digests) ? [[agent, digests.filter((one): one is string => typeof one === 'string' && DIGEST.test(one))] as const] : [],
    ),
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}
