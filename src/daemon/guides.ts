/** Keeps AGENTS.md, CLAUDE.md and ROLE.md in each agent's home as they should be, whatever the agent does to them. */
import type { Agent, Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { asideFor, type FileMark, type Folders, type Layout, markOf, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Ids } from '../system/types.ts'
import { CLAUDE_TEXT, guideText } from './guide.ts'
import type { Identities } from './identities.ts'

export type GuidesGiven = Readonly<{
  disk: Disk
  ids: Ids
  layout: Layout
  pins: Folders
  config: () => Config
  identities: () => Identities
  raise: Raise
  clear: Clear
}>

export type Guides = Readonly<{
  /** Everybody's: their text may have changed. */
  all: () => void
  /** The next few: what was removed or changed is written again. */
  patrol: () => void
}>

/** Agents looked at in one patrol: those of thirty in 10 s, of three thousand in a quarter of an hour, for 12 calls of the system a second. */
const A_PATROL = 3

export function createGuides(given: GuidesGiven): Guides {
  const { disk, layout, config, pins } = given
  /** Of the files as they were when their text was last compared. */
  const good = new Map<string, FileMark>()
  /** Whose guide could not be written. */
  const told = new Set<Name>()
  let next = 0

  function keep(agent: Agent): void {
    const about = `workspaces/${agent.name}/home/AGENTS.md`
    pins.stillThere(layout.home(agent.name))
    try {
      keepFile(agent, 'AGENTS.md', () => guideText(config(), agent))
      keepFile(agent, 'CLAUDE.md', () => CLAUDE_TEXT)
      keepFile(agent, 'ROLE.md', () => agent.role)
      if (told.delete(agent.name)) given.clear('unreadable-file', about)
    } catch (cause) {
      // Whatever an agent puts in the way in its own home must not keep the daemon from starting.
      told.add(agent.name)
      given.raise({
        code: 'unreadable-file',
        about,
        agent: agent.name,
        sentence: `The guide of ${agent.name} could not be written to its home (${String(cause)}); it is tried again and again.`,
        fix: `ls -la ${shellWord(`workspaces/${agent.name}/home`)}`,
      })
    }
  }

  /** By a rename out of staging: whatever the agent put there under that name is replaced, never followed. */
  function keepFile({ name: agent }: Agent, name: string, textNow: () => string): void {
    const home = layout.home(agent)
    const path = pins.at(home, name)
    const stat = statOrNothing(disk, path)
    const key = `${agent}/${name}`
    if (stat && good.get(key) === markOf(stat)) return
    const text = textNow()
    if (stat?.kind === 'file' && stat.size === Buffer.byteLength(text) && disk.readFile(path, stat.size).toString() === text) {
      // The mark of before the reading: what is written afterwards has another.
      good.set(key, markOf(stat))
      return
    }
    const staged = `${layout.staging}/guide.${given.ids.secret()}`
    disk.create(staged, text, 0o644, given.identities().owners(agent).holder)
    try {
      // A folder where a file belongs is kept beside it.
      if (stat?.kind === 'folder')
        disk.rename(
          path,
          asideFor(disk, (other) => pins.at(home, other), name),
        )
      disk.rename(staged, path)
    } catch (cause) {
      disk.unlink(staged)
      throw cause
    }
  }

  return {
    all: () => {
      good.clear()
      for (const agent of config().agents.values()) {
        // Perhaps an earlier daemon told of it.
        told.add(agent.name)
        keep(agent)
      }
    },
    patrol: () => {
      const agents = [...config().agents.values()]
      for (let left = Math.min(A_PATROL, agents.length); left > 0; left--) {
        const agent = agents[next++ % agents.length]
        if (agent) keep(agent)
      }
    },
  }
}
