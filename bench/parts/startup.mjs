/** Start-up of commands that only touch files, beside `node -e 0`, in turn. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { startReady, stopDaemon } from '../harness/daemon.mjs'
import { median, showMs, showRatio } from '../harness/numbers.mjs'
import { makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { yesNo } from '../harness/report.mjs'

const commands = /** @type {const} */ (['init', 'paths', 'tasks', 'held'])

/** @param {string} program @param {readonly string[]} args */
const timed = (program, args) => {
  const begun = performance.now()
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  const took = performance.now() - begun
  // 1 is a negative answer ("no mail"), which is an answer
  if (status !== 0 && status !== 1) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return took
}

/** @param {import('../main.mjs').Bench} bench */
export const startup = async ({ penny, dir, amounts, say, add }) => {
  const organisation = makeOrganisation(join(dir, 'startup'), 30)
  // the daemon makes the root's folders; the commands are measured without it
  await stopDaemon(await startReady(penny, organisation.root))
  /** @type {Map<string, number[]>} */
  const times = new Map(['node', ...commands].map((name) => [name, []]))
  for (let round = 0; round < amounts.startup.rounds; round++) {
    const made = join(dir, `startup-init-${round}`)
    times.get('node')?.push(timed(process.execPath, ['-e', '0']))
    for (const command of commands) times.get(command)?.push(timed(penny, command === 'init' ? [command, made] : [command, '--root', organisation.root]))
    rmSync(made, { recursive: true })
  }
  removeOrganisation(organisation)
  const bare = median(times.get('node') ?? [])
  for (const command of commands) {
    const took = median(times.get(command) ?? [])
    say(`penny ${command}: ${showMs(took)}`)
    add({
      what: `start-up: penny ${command}`,
      measured: showMs(took),
      beside: `${showRatio(took / bare)} node -e 0 (${showMs(bare)})`,
      goal: '≤ 2.5 ×',
      reached: yesNo(took <= 2.5 * bare),
    })
  }
}
