/**
 * Starts a program again and again as the daemon does: without a jail, in an agent's jail, in one with a forwarder, in turn; prints the milliseconds as JSON.
 * Arguments: root, agent, rounds. Bundled and started by parts/walls.mjs: the jail's words are src/jail's own, so it measures these.
 */
import { plainDisk } from '../../src/cli/disk.ts'
import { loadPolicies } from '../../src/cli/policies.ts'
import { standingJail } from '../../src/daemon/index.ts'
import { enclose, type Jail, lookWith, readStatus } from '../../src/jail/index.ts'
import { layoutOf } from '../../src/mailbox/index.ts'
import { hostOf } from '../../src/system/host.ts'
import { realSpawner } from '../../src/system/spawner.ts'
import type { SpawnPlan } from '../../src/system/types.ts'

const PROGRAM = { argv: ['/usr/bin/true'], env: { PATH: '/usr/bin:/bin' } }
const WARM_UP = 5

const [root = '', name = '', rounds = '0'] = process.argv.slice(2)
const agent = [...loadPolicies(root).agents.values()].find((one) => one.name === name)
const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const standing = agent && standingJail(plainDisk(), layoutOf(root), loadPolicies(root), agent, self)
if (!standing) throw new Error(`${name} of ${root} has no folders`)
const { jail, as } = standing
const host = hostOf(process.env['PATH'] ?? '')()

/** From the call to the end of the program and of its output. */
async function timed(plan: Pick<SpawnPlan, 'argv' | 'env' | 'as' | 'jail'>): Promise<number> {
  const begun = performance.now()
  const { ended } = await realSpawner.spawn({ ...plan, cwd: '/', stdin: new Uint8Array(), output: (_stream, chunk) => process.stderr.write(chunk) })
  const { code } = await ended
  if (code !== 0) throw new Error(`${plan.argv.join(' ')} ended with ${code}`)
  return performance.now() - begun
}

async function enclosed(jail: Jail): Promise<number> {
  const begun = performance.now()
  const { argv, env, given } = enclose(jail, host, lookWith(plainDisk()), PROGRAM)
  const enclosing = performance.now() - begun
  let status = ''
  const took = await timed({ argv, env, as, jail: { given, status: (chunk) => (status += chunk.toString()) } })
  if (readStatus(status).exitCode !== 0) throw new Error(`the jail of ${name} was not made: ${status}`)
  return enclosing + took
}

/** What the forwarder adds is a Node that starts; the folder need not be there for that. */
const ways = {
  plain: () => timed({ ...PROGRAM, as: undefined }),
  jailed: () => enclosed(jail),
  forwarded: () => enclosed({ ...jail, gateway: `${root}/.penny/sockets/${name}` }),
  node: () => timed({ ...PROGRAM, argv: [process.execPath, '-e', '0'], as: undefined }),
}
const times: Record<keyof typeof ways, number[]> = { plain: [], jailed: [], forwarded: [], node: [] }
for (let round = -WARM_UP; round < Number(rounds); round++) {
  for (const way of ['plain', 'jailed', 'forwarded', 'node'] as const) {
    const took = await ways[way]()
    if (round >= 0) times[way].push(took)
  }
}
process.stdout.write(JSON.stringify(times))
