import { describeProblem, type Loaded } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import { counted, shellWord, showSafely } from '../core/text.ts'
import { type Layout, layoutOf } from '../mailbox/index.ts'
import { type Finding, ok, reasonOf, wrong } from './check.ts'
import { checkAgents, checkPrograms } from './check-agents.ts'
import { checkDaemon } from './check-daemon.ts'
import { checkCompleteness, checkLock, checkRenames, checkRoom } from './check-disk.ts'
import { checkGateway } from './check-gateway.ts'
import { checkHooks } from './check-hooks.ts'
import { checkJail } from './check-jail.ts'
import { checkNode, checkWatches, judgePath } from './check-machine.ts'
import { checkOwners } from './check-owners.ts'
import { type Command, expectWords, flag } from './command.ts'
import { plainDisk } from './disk.ts'
import { codeOf, EXIT } from './exit.ts'
import { fixOf, paint, say, sayJson } from './print.ts'
import { rootOf } from './root.ts'

/** Folders of a holder that are watched: its workspace, new, cur, done, outbox, its box in the spool. */
const WATCHED_EACH = 6

const SIGNS = { ok: 'ok   ', wrong: 'WRONG', note: 'note ', skipped: 'skip ' } as const
const STYLES = { ok: 'green', wrong: 'red', note: 'yellow', skipped: 'dim' } as const

export const command: Command = {
  summary: 'really tries everything, and says how to mend it',
  usage: ['doctor [--online]'],
  examples: [
    ['doctor', 'exit 1 if something is wrong'],
    ['doctor --online', 'also asks the model providers, over the network'],
  ],
  options: { online: { type: 'boolean', about: 'also asks the model providers, over the network' } },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const layout = layoutOf(root)
    const { checkPathTo, lockRoot } = await import('../daemon/index.ts')
    const { config, findings } = await checkPolicies(layout)
    const searchPath = call.surroundings.env['PATH'] ?? '/usr/bin:/bin'
    const holders = config ? config.agents.size + config.people.size : 0
    const all: Finding[] = [
      checkNode(),
      ...judgePath(root, () => checkPathTo(plainDisk(), root, process.geteuid?.() ?? -1, process.geteuid?.() === 0)),
      ...findings,
      ...(config ? checkPrograms(layout, config, searchPath) : []),
      checkRoom(layout),
      ...checkRenames(layout),
      await checkCompleteness(layout),
      await checkLock(lockRoot),
      checkWatches(holders * WATCHED_EACH + 10),
      ...(config ? await checkAgents(layout, config, searchPath) : []),
      ...(config ? await checkJail(layout, config, searchPath, { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }) : []),
      ...(config ? checkOwners(layout, config) : []),
      ...(await checkDaemon(root)),
      ...(config ? await checkGateway(root, config, flag(call, 'online')) : []),
      checkHooks(searchPath),
    ]
    for (const finding of all.map((one) => ({ ...one, fix: one.fix === '' ? '' : fixOf(call.surroundings, one.fix) }))) {
      if (call.json) {
        sayJson(call, finding)
        continue
      }
      const { check, outcome, what, fix } = finding
      say(call, `${paint(call, STYLES[outcome], SIGNS[outcome])} ${check.padEnd(12)} ${showSafely(what)}`)
      if (fix !== '') say(call, `      fix: ${fix}`)
    }
    return all.some(({ outcome }) => outcome === 'wrong') ? EXIT.no : EXIT.ok
  },
}

async function checkPolicies(layout: Layout): Promise<{ config: Config | undefined; findings: Finding[] }> {
  const { readConfig } = await import('../daemon/index.ts')
  let loaded: Loaded
  try {
    loaded = readConfig(plainDisk(), layout, process.geteuid?.() ?? -1)
  } catch (cause) {
    if (codeOf(cause) !== 'ELOOKUP') throw cause
    return { config: undefined, findings: [wrong('policies', reasonOf(cause), 'getent passwd root')] }
  }
  if (!loaded.ok)
    return {
      config: undefined,
      findings: loaded.problems.map((problem) =>
        wrong('policies', describeProblem(problem), `\${EDITOR:-vi} ${shellWord(`${layout.policies}/${problem.file}`)}`),
      ),
    }
  const { agents, people, groups } = loaded.config
  return {
    config: loaded.config,
    findings: [ok('policies', `${counted(agents.size, 'agent')}, ${counted(people.size, 'person', 'people')}, ${counted(groups.size, 'group')}`)],
  }
}
