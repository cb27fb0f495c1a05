import { closeSync, readdirSync, readFileSync } from 'node:fs'

/** open(2): octal, as /proc/PID/fdinfo has it. */
const O_CLOEXEC = 0o2000000

/** Closes what whoever started this process left open: every program started from here would have it too. Node's own is never inherited. */
export function closeInherited(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    if (fd > 2 && isInherited(fd)) closeSync(fd)
  }
}

function isInherited(fd: number): boolean {
  try {
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? []
    return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0
  } catch (cause) {
    // The descriptor that listed the folder is closed by now.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw cause
  }
}
