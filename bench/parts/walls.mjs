/** What walls cost (contract page 5): a jail's start beside a plain one, in turn; mail and runs with walls are in walled-mail.mjs. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../harness/children.mjs'
import { startReady, stopDaemon } from '../harness/daemon.mjs'
import { median, percentile, showMs, showRatio } from '../harness/numbers.mjs'
import { makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { notMeasured, yesNo } from '../harness/report.mjs'
import { delivery, runs } from './walled-mail.mjs'

/** @typedef {import('../main.mjs').Bench} Bench */
/** @typedef {import('../harness/children.mjs').User} User */
/** @typedef {{ readonly mode: 'system mode' | 'user mode', readonly as: User | undefined, readonly jail: string }} Mode */

/** Milliseconds above a plain spawn of the same program. */
const goals = { median: 25, p95: 60 }

/** nobody: an ordinary user, where the bench is root.
 * @type {User} */
const ordinary = { uid: 65534, gid: 65534 }
const project = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Both modes where the bench is root, and an ordinary user may read the build; else the one of who runs it.
 * @param {string} penny
 * @returns {readonly Mode[]} */
const modesHere = (penny) => {
  if (process.getuid?.() !== 0) return [{ mode: 'user mode', as: undefined, jail: 'bwrap' }]
  const reads = spawnSync(process.execPath, ['-e', `require('node:fs').readFileSync(${JSON.stringify(penny)})`], { ...ordinary, cwd: '/' }).status === 0
  return [
    { mode: 'system mode', as: undefined, jail: 'setpriv + bwrap' },
    ...(reads ? [{ mode: /** @type {const} */ ('user mode'), as: ordinary, jail: 'bwrap' }] : []),
  ]
}

/** The measuring program, made of the sources; it lies in the checkout because it looks for packages as penny does. */
const makeStarter = async () => {
  const into = join(project, 'bench', 'tmp', 'starts.mjs')
  const esbuild = join(project, 'node_modules', '.bin', 'esbuild')
  accessSync(esbuild, constants.X_OK)
  mkdirSync(dirname(into), { recursive: true })
  const how = ['--bundle', '--packages=external', '--platform=node', '--target=node20.19', '--format=esm', '--log-level=warning', '--allow-overwrite']
  await run(esbuild, [join(project, 'bench', 'harness', 'starts.ts'), ...how, `--outfile=${into}`])
  return into
}

/** @param {Bench} bench */
export const walls = async (bench) => {
  const modes = modesHere(bench.penny)
  for (const mode of modes) await jailStart(bench, mode)
  await jailCommand(bench)
  const [walled, plain] = modes
  if (walled !== undefined && plain !== undefined) await delivery(bench, walled, plain)
  else bench.add(notMeasured('delivery with walls beside without', 'needs root, and a build that an ordinary user may read', ''))
  await runs(bench)
}

/** @param {Bench} bench @param {Mode} mode */
const jailStart = async ({ penny, dir, amounts, say, add }, { mode, as, jail }) => {
  const organisation = makeOrganisation(join(dir, `walls-${mode.replace(' ', '-')}`), 30, { owner: as })
  // the daemon makes the folders, and hands out the uids
  await stopDaemon(await startReady(penny, organisation.root, undefined, as))
  const count = amounts.walls.starts
  const printed = await run(process.execPath, [await makeStarter(), organisation.root, organisation.agents[0] ?? '', String(count)], as)
  /** @type {Readonly<Record<'plain' | 'jailed' | 'forwarded' | 'node', readonly number[]>>} */
  const { plain, jailed, forwarded, node } = JSON.parse(printed)
  removeOrganisation(organisation)
  const base = median(plain)
  say(
    `jail start, ${mode}: median ${showMs(median(jailed))}, p95 ${showMs(percentile(jailed, 0.95))}; plain ${showMs(base)}, ${showMs(percentile(plain, 0.95))}`,
  )
  for (const [what, took, goal] of /** @type {const} */ ([
    ['median', median(jailed), goals.median],
    ['p95', percentile(jailed, 0.95), goals.p95],
  ])) {
    add({
      what: `start to end of \`true\` in a jail, ${mode} (${jail}), ${what}`,
      measured: `${showMs(took - base)} more`,
      beside: `${showMs(took)} to ${showMs(base)}, the median of a plain spawn (its p95: ${showMs(percentile(plain, 0.95))}); ${count} each, in turn`,
      goal: `≤ ${goal} ms more`,
      reached: yesNo(took - base <= goal),
    })
  }
  const more = median(forwarded) - median(jailed)
  add({
    what: `what a way to the model gateway over TCP adds to that, ${mode}, median`,
    measured: `${showMs(more)} more`,
    beside: `${showRatio(more / median(node))} node -e 0 (${showMs(median(node))}); ${count} each, in turn`,
    goal: '',
    reached: '',
  })
}

/** @param {Bench} bench */
const jailCommand = async ({ penny, dir, amounts, add }) => {
  const organisation = makeOrganisation(join(dir, 'walls-command'), 30)
  await stopDaemon(await startReady(penny, organisation.root))
  /** @type {{ jail: number[], node: number[] }} */
  const times = { jail: [], node: [] }
  for (let round = 0; round < amounts.walls.commands; round++) {
    times.node.push(await timed(process.execPath, ['-e', '0']))
    times.jail.push(await timed(penny, ['jail', organisation.agents[0] ?? '', '--root', organisation.root, '--', 'true']))
  }
  removeOrganisation(organisation)
  const bare = median(times.node)
  add({
    what: 'penny jail NAME -- true, as a person types it',
    measured: showMs(median(times.jail)),
    beside: `${showRatio(median(times.jail) / bare)} node -e 0 (${showMs(bare)})`,
    goal: '',
    reached: '',
  })
}

/** @param {string} program @param {readonly string[]} args */
const timed = async (program, args) => {
  const begun = performance.now()
  await run(program, args)
  return performance.now() - begun
}
