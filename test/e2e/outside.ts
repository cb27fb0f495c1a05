/** What lies outside a jail and must not be reached from inside: a process with a secret, its sockets, its shared memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { Organisation, Owner } from './driver.ts'

const KEEPER = `
import ctypes, json, os, socket, sys, time
base, word, secret = sys.argv[1:4]
abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0' + word); abstract.listen()
four = socket.socket(socket.AF_INET); four.bind(('127.0.0.1', 0)); four.listen()
port = four.getsockname()[1]
six = socket.socket(socket.AF_INET6)
try:
    six.bind(('::1', port)); six.listen()
except OSError: pass
path = socket.socket(socket.AF_UNIX); path.bind(base + '/socket'); path.listen(); os.chmod(base + '/socket', 0o777)
shared = '/dev/shm/' + word
open(shared, 'w').write(secret); os.chmod(shared, 0o666)
libc = ctypes.CDLL(None)
key = int(word[-6:], 16)
libc.shmget(key, 4096, 0o1666)
print(json.dumps({'pid': os.getpid(), 'port': port, 'abstract': word, 'socket': base + '/socket', 'shm_file': shared, 'shm_key': key, 'key': word}), flush=True)
sys.stdin.read()
libc.shmctl(libc.shmget(key, 0, 0), 0, None)
os.unlink(shared)
`

/** Starts it as that user; it ends, and takes its shared memory away, with the test. What it returns is the probe's TARGETS. */
export async function keepOutside(t: Test, org: Organisation, as: Owner | undefined): Promise<Record<string, unknown>> {
  const word = `penny-outside-${randomBytes(6).toString('hex')}`
  const base = join(org.base, word)
  const secret = `canary-${word}`
  mkdirSync(base)
  chmodSync(base, 0o777)
  writeFileSync(`/tmp/${word}`, secret)
  const keeper: ChildProcess = spawn('python3', ['-c', KEEPER, base, word, secret], { ...as, env: { SECRET: secret }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => {
    keeper.stdin?.end()
    await once(keeper, 'exit')
    rmSync(`/tmp/${word}`, { force: true })
  })
  if (!keeper.stdout) throw new Error('no output')
  const [line] = (await once(createInterface(keeper.stdout), 'line')) as [string]
  return { ...(JSON.parse(line) as object), secret }
}
