/** Who is at the other end of a connection within this machine. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const WORD = 4

/**
 * The uid that owns the other end, as /proc/net/tcp has it (proc(5)); undefined where that cannot be told: another machine, another
 * namespace, an end that its process has closed already (nobody's then: inode 0).
 */
export function uidOfPeer(socket: Socket): number | undefined {
  const uid = known.get(socket) ?? lookUp(socket)
  if (uid !== undefined) known.set(socket, uid)
  return uid
}

/** Who made an end owns it for as long as it is there; to look it up takes longer than all else that is done for a request. */
const known = new WeakMap<Socket, number>()

function lookUp({ remoteAddress, remotePort, localAddress, localPort }: Socket): number | undefined {
  if (remoteAddress === undefined || remotePort === undefined || localAddress === undefined || localPort === undefined) return undefined
  // What is our far end is near to whoever owns it.
  const ends = formsOf(remoteAddress).map((near, n) => `${near}:${inHex(remotePort)} ${formsOf(localAddress)[n]}:${inHex(localPort)}`)
  for (const table of TABLES) {
    for (const line of readTable(table).split('\n')) {
      const words = line.trim().split(/\s+/)
      if (ends.includes(`${words[1]} ${words[2]}`) && words[9] !== '0') return Number(words[7])
    }
  }
  return undefined
}

/** A machine without IPv6 has no table of it. */
function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (cause) {
    if (['ENOENT', 'EACCES'].includes((cause as NodeJS.ErrnoException).code ?? '')) return ''
    throw cause
  }
}

const inHex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')

/** As the kernel prints an address: words of four bytes, each as a number of this machine. One of IPv4 may also be owned by a socket of IPv6. */
function formsOf(address: string): string[] {
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  if (four) {
    const word = wordOf(four.slice(1).map(Number))
    return [word, `${'0'.repeat(16)}${wordOf([0, 0, 0xff, 0xff])}${word}`]
  }
  const bytes = bytesOf(address)
  return [Array.from({ length: 4 }, (_, n) => wordOf(bytes.slice(n * WORD, (n + 1) * WORD))).join('')]
}

function wordOf(bytes: readonly number[]): string {
  return new DataView(Uint8Array.from(bytes).buffer).getUint32(0, true).toString(16).toUpperCase().padStart(8, '0')
}

/** Of an address of IPv6, without a zone. */
function bytesOf(address: string): number[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return all.flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}
