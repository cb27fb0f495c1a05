/** A jail, made to see whether it can be. */
import { faultOfHost, type Jail } from '../jail/index.ts'
import type { Host } from '../system/host.ts'
import type { Clock, Disk, Spawner, SpawnPlan } from '../system/types.ts'
import { enter } from './enter.ts'

/** A machine under load may be slow; one that takes longer hangs. Milliseconds. */
const WITHIN_MS = 10_000

/** Why it cannot be made; undefined: a program ran in it. */
export async function tryJail(
  { spawner, clock, disk, host }: Readonly<{ spawner: Spawner; clock: Clock; disk: Disk; host: () => Host }>,
  jail: Jail,
  as: SpawnPlan['as'],
): Promise<string | undefined> {
  const here = host()
  const fault = faultOfHost(here)
  if (fault !== undefined) return fault
  const { argv, env, pipes, said } = enter(disk, here, jail, { argv: ['/usr/bin/true'], env: {} })
  let printed = ''
  const { ended, kill } = await spawner.spawn({
    argv,
    env,
    as,
    cwd: '/',
    stdin: new Uint8Array(),
    output: (_stream, chunk) => {
      printed += chunk.toString()
    },
    jail: pipes,
  })
  const cancel = clock.after(WITHIN_MS, () => kill('SIGKILL'))
  const { code, signal } = await ended
  cancel()
  if (said().exitCode === 0) return undefined
  return whyNot(printed, code, signal)
}

/** `printed`: by bwrap or setpriv(1). */
export function whyNot(printed: string, code: number | null, signal: string | null): string {
  const [line] = printed.split('\n').filter((text) => text.trim() !== '')
  return line?.trim() ?? `it ended with ${signal ?? `status ${code}`}`
}
