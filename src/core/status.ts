/** The life of a task: states, folders, and who may move it where (contract, page 3). */

export const STATUSES = ['open', 'in_progress', 'blocked', 'done', 'failed', 'cancelled'] as const
export type Status = (typeof STATUSES)[number]
export const FOLDERS = ['new', 'cur', 'done'] as const
export type Folder = (typeof FOLDERS)[number]

/** Who asks for a change: the holder (or its runner), the task's sender, the postmaster, or the daemon itself. */
export type Actor = 'holder' | 'sender' | 'postmaster' | 'daemon'

export function isStatus(text: unknown): text is Status {
  return (STATUSES as readonly unknown[]).includes(text)
}

export function isSettled(status: Status): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled'
}

export function folderOf(status: Status): Folder {
  switch (status) {
    case 'open':
      return 'new'
    case 'in_progress':
    case 'blocked':
      return 'cur'
    case 'done':
    case 'failed':
    case 'cancelled':
      return 'done'
  }
}

/** What a move into a folder means, for a task that had `was` (mv new/X cur/ = claim, cur/X new/ = release, done/ = done). */
export function statusByFolder(folder: Folder, was: Status): Status {
  if (folderOf(was) === folder) return was
  return folder === 'new' ? 'open' : folder === 'cur' ? 'in_progress' : 'done'
}

const HOLDER: Record<Status, readonly Status[]> = {
  open: ['in_progress', 'blocked', 'done', 'failed'],
  in_progress: ['open', 'blocked', 'done', 'failed'],
  blocked: ['open', 'in_progress', 'done', 'failed'],
  done: [],
  failed: [],
  cancelled: [],
}

/** Whether the table of page 3 allows `actor` this step. A step to the same status is always allowed. */
export function mayChange(actor: Actor, from: Status, to: Status): boolean {
  if (from === to) return true
  if (HOLDER[from].includes(to)) return actor === 'holder' || actor === 'daemon'
  if (to === 'cancelled' && !isSettled(from)) return actor !== 'holder'
  if (to === 'open' && isSettled(from)) return actor !== 'holder'
  return false
}
