/** What can be seen from outside: delivered files, mirrors, held files, alerts. Read anew at each call; nothing is remembered. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'
const DELIVERED = new RegExp(`^([1-9])-([a-z][a-z0-9-]*)\\.(${UUID})\\.([a-z0-9-]{1,40})\\.md$`)
const HELD = new RegExp(`^([a-z-]+)\\.(${UUID})\\.([a-z0-9-]{1,40})$`)

export type Parsed = Readonly<{ raw: Buffer; head: ReadonlyMap<string, string>; body: Buffer }>
export type Letter = Parsed & Readonly<{ path: string; folder: string; file: string; rank: string; priority: string; id: string; slug: string }>
export type HeldFile = Readonly<{ code: string; id: string; slug: string; path: string; raw: Buffer; why: string | undefined }>
export type AlertFile = Parsed & Readonly<{ code: string; key: string; file: string; path: string; text: string }>

/** The text of a message: keys as they are to stand in its front matter. */
export function message(head: Readonly<Record<string, string>>, body = 'Please look.\n'): string {
  return `---\n${Object.entries(head)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}---\n${body}`
}

/** Polls until `look` returns something true; throws after `boundMs` milliseconds. */
export async function until<T>(what: string, look: () => T | undefined | null | false | '' | 0, boundMs = 20_000): Promise<T> {
  const start = performance.now()
  for (;;) {
    const seen = look()
    if (seen) return seen
    if (performance.now() - start > boundMs) throw new Error(`not within ${boundMs} ms: ${what}`)
    await pause(15)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Front matter as far as messages need it: `key: value`, quoted scalars, and lines that go on (kept, joined by line ends). */
export function parse(raw: Buffer): Parsed {
  const head = new Map<string, string>()
  const text = raw.toString('latin1')
  const opened = /^(?:\xef\xbb\xbf)?---\r?\n/.exec(text)
  const closed = opened && /(?:^|\n)---(?:\r?\n|$)/.exec(text.slice(opened[0].length))
  if (!opened || !closed) return { raw, head, body: raw }
  const end = opened[0].length + closed.index
  let key = ''
  for (const line of raw
    .subarray(opened[0].length, end)
    .toString('utf8')
    .split(/\r?\n|\r$/)) {
    const match = /^([A-Za-z][\w-]*):(?:[ \t]+(.*))?$/.exec(line)
    if (match) {
      key = match[1] ?? ''
      head.set(key, unquote((match[2] ?? '').trim()))
    } else if (key && /^[ \t-]/.test(line)) head.set(key, `${head.get(key) ?? ''}\n${line.trim()}`.trim())
  }
  return { raw, head, body: raw.subarray(end + closed[0].length) }
}

function unquote(value: string): string {
  const double = /^("(?:[^"\\]|\\.)*")(?:\s+#.*)?$/.exec(value)
  if (double) return JSON.parse(double[1] ?? '""') as string
  const single = /^'((?:[^']|'')*)'(?:\s+#.*)?$/.exec(value)
  return single ? (single[1] ?? '').replace(/''/g, "'") : value.replace(/\s+#.*$/, '')
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** undefined where the file has just gone: a normal outcome while a daemon and holders move files. */
function content(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** The messages in one folder, in the order of their names. */
export function lettersIn(folder: string, label = folder): Letter[] {
  const found: Letter[] = []
  for (const file of names(folder).sort()) {
    const match = DELIVERED.exec(file)
    const raw = match && content(join(folder, file))
    if (!match || !raw) continue
    const [, rank = '', priority = '', id = '', slug = ''] = match
    found.push({ ...parse(raw), path: join(folder, file), folder: label, file, rank, priority, id, slug })
  }
  return found
}

/** Everything a holder has: new, cur, done and the months under done. */
export function lettersOf(root: string, name: string): Letter[] {
  const box = join(root, 'workspaces', name)
  const months = names(join(box, 'done')).filter((entry) => /^\d{4}-\d{2}$/.test(entry))
  return [
    ...lettersIn(join(box, 'new'), 'new'),
    ...lettersIn(join(box, 'cur'), 'cur'),
    ...lettersIn(join(box, 'done'), 'done'),
    ...months.flatMap((month) => lettersIn(join(box, 'done', month), 'done')),
  ]
}

/** The mirrors of what a sender sent. */
export function sentBy(root: string, name: string): Letter[] {
  return lettersIn(join(root, 'workspaces', name, 'sent'), 'sent')
}

export function heldFiles(root: string): HeldFile[] {
  const folder = join(root, 'spool', 'held')
  return names(folder).flatMap((file) => {
    const match = HELD.exec(file)
    const path = join(folder, file)
    const raw = match && (statSync(path, { throwIfNoEntry: false })?.isFile() ? content(path) : Buffer.alloc(0))
    if (!match || !raw) return []
    return [{ code: match[1] ?? '', id: match[2] ?? '', slug: match[3] ?? '', path, raw, why: content(`${path}.why.md`)?.toString('utf8') }]
  })
}

/** Names in spool/held/ that are neither a held file nor the reason beside one. */
export function oddInHeld(root: string): string[] {
  return names(join(root, 'spool', 'held')).filter((file) => !HELD.test(file.replace(/\.why\.md$/, '')))
}

export function alertsOf(root: string, folder = 'alerts'): AlertFile[] {
  const dir = join(root, 'spool', folder)
  return names(dir).flatMap((file) => {
    const match = /^([a-z-]+)\.([a-z0-9-]{1,60})\.md$/.exec(file)
    const raw = match && content(join(dir, file))
    return match && raw ? [{ ...parse(raw), code: match[1] ?? '', key: match[2] ?? '', file, path: join(dir, file), text: raw.toString('utf8') }] : []
  })
}

export function alertOf(root: string, code: string, mention = ''): AlertFile | undefined {
  return alertsOf(root).find((alert) => alert.code === code && alert.text.includes(mention))
}

/** Files (not folders) directly in a folder, the daemon's and the system's names included. */
export function filesIn(folder: string): string[] {
  return names(folder).filter((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.isFile())
}

export function exists(path: string): boolean {
  return existsSync(path)
}

/** Processes of runs for this message, wherever they are: in a jail they have other pids than they see themselves. */
export function processesFor(id: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`\0PENNY_ID=${id}\0`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
        )
      } catch {
        return false
      }
    })
}
