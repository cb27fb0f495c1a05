/** A jail, made to see whether it can be. */
import { enclose, type Jail, type JailFault, lookWith, readStatus, readyJail } from '../jail/index.ts'
import type { Host } from '../system/host.ts'
import type { Clock, Disk, Spawner, SpawnPlan } from '../system/types.ts'
import { startProcess } from './process.ts'
import { describeEnding } from './verdict.ts'

/** A machine under load may be slow; one that takes longer hangs. Milliseconds. */
const WITHIN_MS = 10_000

/** Why it cannot be made; undefined: a program ran in it. */
export async function tryJail(
  { spawner, clock, disk, host }: Readonly<{ spawner: Spawner; clock: Clock; disk: Disk; host: () => Host }>,
  jail: Jail,
  as: SpawnPlan['as'],
): Promise<JailFault | undefined> {
  const here = host()
  const ready = readyJail(disk, here, jail)
  if (ready.fault !== undefined) return ready.fault
  const { argv, env, given } = enclose(ready.jail, here, lookWith(disk), { argv: ['/usr/bin/true'], env: {}, alone: true })
  let said = ''
  let status = ''
  const begun = await startProcess(spawner, {
    argv,
    env,
    as,
    cwd: '/',
    stdin: new Uint8Array(),
    output: (_stream, chunk) => {
      said += chunk.toString()
    },
    jail: {
      given,
      status: (chunk) => {
        status += chunk.toString()
      },
    },
  })
  if (!begun.ok) return { kind: 'start', why: describeEnding(begun.ending) }
  const { ended, kill } = begun.spawned
  const cancel = clock.after(WITHIN_MS, () => kill('SIGKILL'))
  const { code, signal } = await ended
  cancel()
  if (readStatus(status).exitCode === 0) return undefined
  return { kind: 'start', why: whyNot(said, code, signal) }
}

/** `said`: what bwrap and setpriv(1) print when they fail. */
export function whyNot(said: string, code: number | null, signal: string | null): string {
  const [line] = said.split('\n').filter((text) => text.trim() !== '')
  return line?.trim() ?? `it ended with ${signal ?? `status ${code}`}`
}
