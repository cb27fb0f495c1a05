/** Makes every folder the organisation needs, and mends what deviates. */
import type { Name } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { agentRules, type Deviation, personRules, provision, type Rule, rootRules, spoolBoxRules } from '../mailbox/index.ts'
import type { Log } from '../system/types.ts'
import { createGuides, type GuidesGiven } from './guides.ts'

export type Provisioner = Readonly<{
  /** Everything; returns what deviated from the table. */
  all: () => Deviation[]
  /** Looks at the next few holders' folders and guides; what somebody removed, replaced or locked is made right and told. */
  patrol: () => void
  holder: (name: Name) => void
  box: (name: string) => void
  guides: () => void
}>

export type ProvisionerGiven = GuidesGiven & Readonly<{ log: Log }>

/** Holders looked at in one patrol: thirty each second cost less than a millisecond. */
const A_PATROL = 30

export function createProvisioner(given: ProvisionerGiven): Provisioner {
  const { disk, layout, config } = given

  const rulesOf = (name: Name): Rule[] => (config().agents.has(name) ? agentRules(layout, name) : personRules(layout, name))

  function make(rules: readonly Rule[], holder?: Name): Deviation[] {
    const deviations = provision(disk, rules, given.identities().owners(holder))
    for (const { path, what } of deviations) given.log('warn', 'a folder was not as it should be; mended', { path, found: what })
    return deviations
  }

  const guides = createGuides(given)
  let next = 0
  const told = new Map<string, Name>()

  function patrol(): void {
    guides.patrol()
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
    guides: guides.all,
  }
}
