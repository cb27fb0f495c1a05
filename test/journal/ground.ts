/** A real disk whose calls a test can break one by one. */
import { realDisk } from '../../src/system/disk.ts'
import type { Disk } from '../../src/system/types.ts'

const noLease = { how: 'proc', take: () => true, unbroken: () => true, drop: () => undefined } as const

export function breakable(): { disk: Disk; breaks: Partial<Record<keyof Disk, () => void>>; calls: Map<string, number> } {
  const breaks: Partial<Record<keyof Disk, () => void>> = {}
  const calls = new Map<string, number>()
  const real = realDisk(undefined, noLease)
  const disk = Object.fromEntries(
    Object.entries(real).map(([name, member]) => {
      if (typeof member !== 'function') return [name, member]
      const call = member as (...args: unknown[]) => unknown
      return [
        name,
        (...args: unknown[]) => {
          calls.set(name, (calls.get(name) ?? 0) + 1)
          breaks[name as keyof Disk]?.()
          return call(...args)
        },
      ]
    }),
  ) as unknown as Disk
  return { disk, breaks, calls }
}

export function fails(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: as the test wants it`), { code })
  }
}
