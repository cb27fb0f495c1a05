/** What runs printed for one message: `workspaces/<agent>/runs/<id>.log`, bounded. */
import { statOrNothing } from '../mailbox/index.ts'
import type { Disk, Fd, Log, Owner } from '../system/types.ts'

/** A log is read by people; a run that prints without end must not fill the disk. Bytes, over all runs for the message. */
export const LOG_LIMIT_BYTES = 64 * 1024 ** 2

export type RunLog = Readonly<{
  write: (chunk: Uint8Array | string) => void
  /** A line of our own, on a line of its own. */
  say: (line: string) => void
  close: () => void
}>

/** Never throws: a run is worth more than its log. What cannot be written is said in the daemon's log. */
export function openRunLog(disk: Disk, log: Log, path: string, owner: Owner | undefined, limitBytes = LOG_LIMIT_BYTES): RunLog {
  let fd: Fd | undefined
  let bytes = 0
  let atLineStart = true
  let broken = false

  function attempt(what: () => void): void {
    if (broken) return
    try {
      what()
    } catch (cause) {
      broken = true
      log('warn', 'run log cannot be written', { path, why: String(cause) })
    }
  }

  function put(data: Uint8Array): void {
    if (fd === undefined || data.length === 0) return
    disk.append(fd, data)
    bytes += data.length
    atLineStart = data.at(-1) === 10
  }

  attempt(() => {
    const there = statOrNothing(disk, path)
    // In user mode the folder is the agent's too: a pipe or link planted here must neither stop us nor lead us away.
    if (there && there.kind !== 'file') disk.unlink(path)
    if (there?.kind !== 'file') disk.create(path, '', 0o640, owner)
    fd = disk.openAppend(path, 0o640)
    bytes = disk.fstat(fd).size
  })

  return {
    write: (chunk) =>
      attempt(() => {
        const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
        if (bytes >= limitBytes) return
        put(data.subarray(0, limitBytes - bytes))
        if (bytes >= limitBytes) put(Buffer.from(`\n--- this log is full (${limitBytes} bytes): what is printed from here on is not kept\n`))
      }),
    say: (line) => attempt(() => put(Buffer.from(`${atLineStart ? '' : '\n'}--- ${line}\n`))),
    close: () => {
      if (fd !== undefined) disk.close(fd)
      fd = undefined
    },
  }
}
