/** Makes every folder the organisation needs, mends what deviates, and keeps each agent's guide. */
import type { Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import {
  agentRules,
  type Deviation,
  type Folders,
  type Layout,
  personRules,
  provision,
  type Rule,
  rootRules,
  spoolBoxRules,
  statOrNothing,
} from '../mailbox/index.ts'
import type { Disk, Ids, Log } from '../system/types.ts'
import { CLAUDE_TEXT, guideText } from './guide.ts'
import type { Identities } from './identities.ts'

export type Provisioner = Readonly<{
  /** Everything; returns what deviated from the table. */
  all: () => Deviation[]
  /** Looks at the next few holders' folders; what somebody removed, replaced or locked is made right and told. */
  patrol: () => void
  holder: (name: Name) => void
  box: (name: string) => void
  guides: () => void
}>

export type ProvisionerGiven = Readonly<{
  disk: Disk
  ids: Ids
  log: Log
  layout: Layout
  pins: Folders
  config: () => Config
  identities: () => Identities
  raise: Raise
  clear: Clear
}>

/** Holders looked at in one patrol: thirty each second cost less than a millisecond. */
const A_PATROL = 30

export function createProvisioner(given: ProvisionerGiven): Provisioner {
  const { disk, layout, config } = given

  const rulesOf = (name: Name): Rule[] => (config().agents.has(name) ? agentRules(layout, name) : personRules(layout, name))

  /** Whose spool it was when the daemon began: an ordinary user's, where there were no walls before. */
  const builder = statOrNothing(disk, layout.spool)?.uid

  function make(rules: readonly Rule[], holder?: Name): Deviation[] {
    const deviations = provision(disk, rules, given.identities().owners(holder), { builder, secret: given.ids.secret })
    for (const { path, what, aside } of deviations) {
      given.log('warn', 'a folder was not as it should be; mended', { path, found: what })
      if (aside !== undefined) tellOfAside(path, what, aside)
    }
    return deviations
  }

  function tellOfAside(path: string, what: string, aside: string): void {
    const [about, now] = [path, aside].map((one) => one.slice(layout.root.length + 1)) as [string, string]
    given.raise({
      code: 'unsafe-file',
      about,
      sentence: `${about} ${what} before the daemon made it, who could have kept it open to read what others drop there. It is ${now} now; what lies in it is treated as in any folder of that name.`,
      fix: `ls -la ${shellWord(now)}`,
    })
  }

  function guides(): void {
    for (const agent of config().agents.values()) {
      const about = `workspaces/${agent.name}/home/AGENTS.md`
      try {
        writeHome(agent.name, 'AGENTS.md', guideText(config(), agent))
        writeHome(agent.name, 'CLAUDE.md', CLAUDE_TEXT)
        writeHome(agent.name, 'ROLE.md', agent.role)
        given.clear('unreadable-file', about)
      } catch (cause) {
        // Whatever an agent puts in the way in its own home must not keep the daemon from starting.
        given.raise({
          code: 'unreadable-file',
          about,
          agent: agent.name,
          sentence: `The guide of ${agent.name} could not be written to its home (${String(cause)}); it is tried again with the next start or change of policies.`,
          fix: `ls -la ${shellWord(`workspaces/${agent.name}/home`)}`,
        })
      }
    }
  }

  /** By a rename out of staging: whatever the agent put there under that name is replaced, never followed. */
  function writeHome(agent: Name, name: string, text: string): void {
    const path = given.pins.at(layout.home(agent), name)
    const stat = statOrNothing(disk, path)
    if (stat?.kind === 'file' && stat.size === Buffer.byteLength(text) && disk.readFile(path, stat.size).toString() === text) return
    const staged = `${layout.staging}/guide.${given.ids.secret()}`
    disk.create(staged, text, 0o644, given.identities().owners(agent).holder)
    if (stat?.kind === 'folder') disk.rename(path, given.pins.at(layout.home(agent), `${name}.was-${stat.ino}`))
    disk.rename(staged, path)
  }

  let next = 0
  const told = new Map<string, Name>()

  function patrol(): void {
    const holders = [...config().agents.keys(), ...config().people.keys()]
    for (let left = Math.min(A_PATROL, holders.length); left > 0; left--) {
      const holder = holders[next++ % holders.length]
      if (holder === undefined) continue
      const deviations = make(rulesOf(holder), holder)
      for (const [path, owner] of told) {
        if (owner !== holder || deviations.some((one) => one.path.endsWith(path))) continue
        told.delete(path)
        given.clear('unreadable-file', path)
      }
      for (const { path, what, mended } of deviations) {
        const about = path.slice(layout.root.length + 1)
        told.set(about, holder)
        given.raise({
          code: 'unreadable-file',
          about,
          agent: holder,
          sentence: `The folder ${about} ${what.startsWith('was') ? what : `had ${what}`}; it ${mended ? 'was mended' : 'will be tried again'}.`,
          fix: `ls -ld ${shellWord(about)}`,
        })
      }
    }
  }

  return {
    patrol,
    all: () => {
      const { agents, people, groups } = config()
      const holders = [...agents.keys(), ...people.keys()]
      return [
        ...make(rootRules(layout)),
        ...[...holders, ...groups.keys(), 'all', 'postmaster'].flatMap((name) => make(spoolBoxRules(layout, name))),
        ...holders.flatMap((name) => make(rulesOf(name), name)),
      ]
    },
    holder: (name) => void make(rulesOf(name), name),
    box: (name) => void make(spoolBoxRules(layout, name)),
    guides,
  }
}
