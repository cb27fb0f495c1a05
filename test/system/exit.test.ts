import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tap from 'tap'
import { realSystem } from '../../src/system/index.ts'

const [, self = '', ends, pipe = ''] = process.argv

/** All its threads are at something that never ends, as on a disk that hangs, and more stands in line for them. */
async function hangThenEnd(): Promise<void> {
  const system = await realSystem(tmpdir(), 'error', () => undefined)
  for (let n = 0; n < 32; n++) open(pipe, 'r', () => undefined)
  setTimeout(() => (ends === 'at once' ? system.exit(7) : process.exit(7)), 100)
}

if (ends) await hangThenEnd()
else
  tap.test('a stop waits for no call that hangs in the threads of the pool, as process.exit does', async (t) => {
    const at = join(t.testdir(), 'pipe')
    spawnSync('mkfifo', [at])
    const start = (how: string): ChildProcess =>
      spawn(process.execPath, [...process.execArgv, self, how, at], { stdio: 'ignore', env: { ...process.env, NODE_V8_COVERAGE: '' } })
    const waiting = start('with the others')
    t.teardown(() => waiting.kill('SIGKILL'))
    const [status] = (await once(start('at once'), 'exit')) as [number]
    t.equal(status, 7)
    t.equal(waiting.exitCode, null, 'the other is still there, which shows that the calls hang')
  })
