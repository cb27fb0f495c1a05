/** Who is at a door. Those who have not shown whose they are make way, the oldest first: whoever can show it always comes in. */
import type { Socket } from 'node:net'

/** Of connections. */
export type Bounds = Readonly<{ mostUnknown: number; mostOfEach: number }>

export type Crowd = Readonly<{
  came: (socket: Socket) => void
  /** It has shown whose it is. False: those have as many as they may have. */
  isOf: (socket: Socket, whom: string) => boolean
}>

export function createCrowd(bounds: () => Bounds): Crowd {
  /** In the order in which they came. */
  const unknown = new Set<Socket>()
  const known = new Map<Socket, string>()
  const counts = new Map<string, number>()

  function add(whom: string, more: 1 | -1): void {
    const count = (counts.get(whom) ?? 0) + more
    if (count === 0) counts.delete(whom)
    else counts.set(whom, count)
  }

  function leave(socket: Socket): void {
    unknown.delete(socket)
    const whom = known.get(socket)
    if (known.delete(socket)) add(whom as string, -1)
  }

  return {
    came: (socket) => {
      unknown.add(socket)
      socket.once('close', () => leave(socket))
      for (const oldest of unknown) {
        if (unknown.size <= bounds().mostUnknown) return
        unknown.delete(oldest)
        oldest.destroy()
      }
    },
    isOf: (socket, whom) => {
      if (known.get(socket) === whom) return true
      // One that is gone has no place to give back.
      if (socket.destroyed || (counts.get(whom) ?? 0) >= bounds().mostOfEach) return false
      leave(socket)
      known.set(socket, whom)
      add(whom, 1)
      return true
    },
  }
}
