/** One command for a model: bounded in time and in what it may print, ended with all that it started. */
import { spawn } from 'node:child_process'

export type Command = Readonly<{ argv: readonly string[]; input?: string; timeoutMs: number; mostCharacters: number }>
export type Outcome = Readonly<{ text: string; isError: boolean }>

/** For what is still on its way when it has ended. */
const AFTER_END_MS = 200

export function runCommand({ argv, input, timeoutMs, mostCharacters }: Command): Promise<Outcome> {
  const [program = '', ...words] = argv
  return new Promise((resolve) => {
    // A group of its own, so that nothing of it outlives its time.
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    const output = collect(mostCharacters)
    let timedOut = false
    const endAll = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch (cause) {
        // Nothing of it is left.
        if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
      }
    }
    const timer = setTimeout(() => {
      timedOut = true
      endAll()
    }, timeoutMs)
    child.stdout.on('data', output.add)
    child.stderr.on('data', output.add)
    child.stdin.on('error', () => undefined)
    child.stdin.end(input ?? '')
    child.on('error', (cause) => {
      clearTimeout(timer)
      resolve({ text: `${program}: ${cause.message}`, isError: true })
    })
    // What it left running in the background keeps its output open, and is not waited for.
    child.on('exit', () =>
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, AFTER_END_MS),
    )
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const how = timedOut ? `(ended after ${timeoutMs / 1000} s)` : code === 0 ? '' : `(${code === null ? `killed by ${signal}` : `exit ${code}`})`
      resolve({ text: [output.text(), how].filter((part) => part !== '').join('\n') || '(no output)', isError: how !== '' })
    })
  })
}

/** The beginning and the end of what is longer. */
function collect(most: number): Readonly<{ add: (chunk: Buffer) => void; text: () => string }> {
  const half = Math.floor(most / 2)
  let head = Buffer.alloc(0)
  let tail = Buffer.alloc(0)
  let total = 0
  return {
    add: (chunk) => {
      total += chunk.length
      const room = Math.max(0, half - head.length)
      head = Buffer.concat([head, chunk.subarray(0, room)])
      tail = Buffer.concat([tail, chunk.subarray(room)]).subarray(-half)
    },
    text: () => {
      const left = total - head.length - tail.length
      const between = left > 0 ? `\n… ${left} bytes are left out here …\n` : ''
      return `${head.toString('utf8')}${between}${tail.toString('utf8')}`.trimEnd()
    },
  }
}
