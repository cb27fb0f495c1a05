import { describeProblem, loadConfig, readPolicies } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import { counted, shellWord, showSafely } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { type Finding, ok, wrong } from './check.ts'
import { checkAgents } from './check-agents.ts'
import { checkDaemon } from './check-daemon.ts'
import { checkCompleteness, checkLock, checkRenames, checkRoom } from './check-disk.ts'
import { checkNode, checkPathTo, checkRunners, checkWatches } from './check-machine.ts'
import { checkOwners } from './check-owners.ts'
import { type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { plainDisk } from './policies.ts'
import { fixOf, paint, say, sayJson } from './print.ts'
import { rootOf } from './root.ts'

/** Folders a holder has that are watched: new, cur, done, outbox, outbox/files. */
const WATCHED_EACH = 5

const SIGNS = { ok: 'ok   ', wrong: 'WRONG', note: 'note ', skipped: 'skip ' } as const
const STYLES = { ok: 'green', wrong: 'red', note: 'yellow', skipped: 'dim' } as const

export const command: Command = {
  summary: 'really tries everything, and says how to mend it',
  usage: ['doctor'],
  examples: [['doctor', 'exit 1 if something is wrong']],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const layout = layoutOf(root)
    const { config, findings } = checkPolicies(layout.policies)
    const holders = config ? config.agents.size + config.people.size : 0
    const all: Finding[] = [
      checkNode(),
      ...checkPathTo(root),
      ...findings,
      ...checkRunners(`${layout.policies}/runners`),
      checkRoom(layout),
      ...checkRenames(layout),
      await checkCompleteness(layout),
      await checkLock(layout),
      checkWatches(holders * WATCHED_EACH + 10),
      ...(config ? await checkAgents(layout, config, call.surroundings.env['PATH'] ?? '/usr/bin:/bin') : []),
      ...(config ? checkOwners(layout, config) : []),
      ...(await checkDaemon(root)),
    ]
    for (const finding of all) {
      if (call.json) {
        sayJson(call, finding)
        continue
      }
      const { check, outcome, what, fix } = finding
      say(call, `${paint(call, STYLES[outcome], SIGNS[outcome])} ${check.padEnd(12)} ${showSafely(what)}`)
      if (fix !== '') say(call, `      fix: ${fixOf(call.surroundings, fix)}`)
    }
    return all.some(({ outcome }) => outcome === 'wrong') ? EXIT.no : EXIT.ok
  },
}

function checkPolicies(dir: string): { config: Config | undefined; findings: Finding[] } {
  const loaded = loadConfig(readPolicies(plainDisk(), dir), dir)
  if (!loaded.ok)
    return {
      config: undefined,
      findings: loaded.problems.map((problem) => wrong('policies', describeProblem(problem), `\${EDITOR:-vi} ${shellWord(`${dir}/${problem.file}`)}`)),
    }
  const { agents, people, groups } = loaded.config
  return {
    config: loaded.config,
    findings: [ok('policies', `${counted(agents.size, 'agent')}, ${counted(people.size, 'person', 'people')}, ${counted(groups.size, 'group')}`)],
  }
}
