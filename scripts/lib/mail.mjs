/** What lies in the folders right now: letters and alerts, read anew at each call, as a person with ls and cat reads them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const NAME = /^\d-[a-z][a-z0-9-]*\.([0-9a-f-]{36})\.[a-z0-9-]+\.md$/
/** A file that moves while it is looked for is no error: the next look finds it. */
const MOVED = ['ENOENT', 'ENOTDIR']

/** The messages of a holder that are in new/, cur/, done/ and its months; with 'sent' the mirrors of what it sent. */
export function lettersOf(root, holder, folders = ['new', 'cur', 'done']) {
  return folders.flatMap((folder) => lettersIn(join(root, 'workspaces', holder, folder), folder))
}

/** The open alerts; `when` is when it was last seen, in milliseconds. */
export function openAlerts(root) {
  const folder = join(root, 'spool', 'alerts')
  return names(folder)
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) => {
      const text = content(join(folder, file))
      if (text === undefined) return []
      const head = headOf(text)
      const paragraphs = text.split('\n\n')
      return [{ file, text, code: head.code, about: head.about, fix: head.fix, sentence: paragraphs[1] ?? '', when: Date.parse(head.last_seen) }]
    })
}

/** The owner of a holder's folders. */
export function ownerOf(root, holder) {
  const { uid, gid } = statSync(join(root, 'workspaces', holder, 'outbox'))
  return { uid, gid }
}

function lettersIn(path, folder) {
  return names(path).flatMap((file) => {
    if (folder === 'done' && /^\d{4}-\d{2}$/.test(file)) return lettersIn(join(path, file), folder)
    const id = NAME.exec(file)?.[1]
    const text = id && content(join(path, file))
    return text ? [{ id, short: id.slice(-8), file, folder, path: join(path, file), head: headOf(text), text }] : []
  })
}

/** Keys with one-line values: all that the demo asks for. */
function headOf(text) {
  const head = {}
  for (const line of text.split('\n').slice(1)) {
    if (line === '---') break
    const found = /^([a-z_]+): (.*)$/.exec(line)
    if (found) head[found[1]] = found[2].startsWith('"') ? JSON.parse(found[2]) : found[2]
  }
  return head
}

function names(folder) {
  return unlessMoved(() => readdirSync(folder).sort()) ?? []
}

function content(path) {
  return unlessMoved(() => readFileSync(path, 'utf8'))
}

function unlessMoved(read) {
  try {
    return read()
  } catch (cause) {
    if (MOVED.includes(cause.code)) return undefined
    throw cause
  }
}
