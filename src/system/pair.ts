/** One end of a pair of sockets that this process was started with: lines of JSON both ways, with a process that it trusts. */
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'

export type Pair = Readonly<{
  say: (line: object) => void
  /** The other side does not read: what can be told later is better told later. */
  isFull: () => boolean
}>

/** undefined: there is no such socket. `ended`, once: the other side is gone. */
export function openPair(fd: number, heard: Readonly<{ line: (text: string) => void; ended: () => void }>): Pair | undefined {
  if (!isSocket(fd)) return undefined
  const socket = new Socket({ fd, readable: true, writable: true })
  socket.setEncoding('utf8')
  socket.on('data', takeLines(heard.line))
  // An error is followed by the close.
  socket.on('error', () => socket.destroy())
  socket.on('close', heard.ended)
  return {
    say: (line) => void (socket.writable && socket.write(`${JSON.stringify(line)}\n`)),
    isFull: () => socket.writableNeedDrain,
  }
}

/** Takes text as it comes, and hands on each line that is whole; empty ones are none. `tooLong`: one grows above `most` characters. */
export function takeLines(line: (text: string) => void, most = Number.POSITIVE_INFINITY, tooLong: () => void = () => undefined): (text: string) => void {
  let begun: string[] = []
  let length = 0
  return (text) => {
    const [first = '', ...rest] = text.split('\n')
    const last = rest.pop()
    length = last === undefined ? length + first.length : last.length
    if (length > most) return tooLong()
    if (last === undefined) return void begun.push(first)
    const whole = [begun.join('') + first, ...rest]
    begun = [last]
    for (const one of whole) if (one !== '') line(one)
  }
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EBADF') return false
    throw cause
  }
}
