/** Durations are written `30s 5m 2h 3d`, sizes `64MiB` (contract, page 1). */

const DURATION_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** Milliseconds, or undefined where the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text)
  return match ? Number(match[1]) * (DURATION_MS[match[2] ?? ''] ?? 0) : undefined
}

/** Bytes, or undefined where the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(text)
  return match ? Number(match[1]) * (SIZE_BYTES[match[2] ?? ''] ?? 0) : undefined
}

/** The shortest exact spelling with one unit, else the largest unit rounded down: 90000 → `90s`, 5400000 → `90m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = DURATION_MS[unit] ?? 1
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  }
  const unit = ms >= 172_800_000 ? 'd' : ms >= 7_200_000 ? 'h' : ms >= 120_000 ? 'm' : ms >= 1000 ? 's' : 'ms'
  return `${Math.floor(ms / (DURATION_MS[unit] ?? 1))}${unit}`
}

/** For people: `3 s`, `12 min`, `2 h 5 min`, `4 d`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  return `${Math.floor(hours / 24)} d`
}

export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = SIZE_BYTES[unit] ?? 1
    if (bytes >= size) return `${Number((bytes / size).toFixed(1))} ${unit}`
  }
  return `${bytes} bytes`
}
