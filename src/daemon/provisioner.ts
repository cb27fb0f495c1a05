/** Makes every folder the organisation needs, and mends what deviates. */
import type { Name } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { agentRules, type Deviation, personRules, provision, type Rule, rootRules, spoolBoxRules, statOrNothing } from '../mailbox/index.ts'
import type { Log } from '../system/types.ts'
import { createGuides, type GuidesGiven } from './guides.ts'

export type Provisioner = Readonly<{
  /** Everything; returns what deviated from the table. */
  all: () => Deviation[]
  /** Looks at what all share, and at the next few holders' folders, boxes and guides; what somebody removed, replaced or locked is made right and told. */
  patrol: () => void
  holder: (name: Name) => void
  box: (name: string) => void
  guides: () => void
}>

export type ProvisionerGiven = GuidesGiven & Readonly<{ log: Log }>

/** Holders, and boxes, looked at in one patrol: thirty each second cost less than a millisecond. */
const A_PATROL = 30
/** Boxes looked at while nothing came to or left the spool itself. */
const FEW_BOXES = 3

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

  const guides = createGuides(given)
  let next = 0
  let nextBox = 0
  let patrolledCtimeMs: number | undefined
  /** Alerts by path, with whose folders they are about. */
  const told = new Map<string, string>()
  /** Whoever tidies up may take one of these along; without them no mail could come, and no alert could be written. */
  const shared = rootRules(layout).filter(({ path }) => path === layout.workspaces || `${path}/`.startsWith(`${layout.spool}/`))

  const holders = (): Name[] => [...config().agents.keys(), ...config().people.keys()]
  const boxes = (): string[] => [...holders(), ...config().groups.keys(), 'all', 'postmaster']
  const inTurn = <T>(names: readonly T[], from: number, count: number): readonly T[] =>
    names.length <= count ? names : [...names, ...names].slice(from % names.length, (from % names.length) + count)

  function patrol(): void {
    guides.patrol()
    mend('all', shared)
    for (const name of inTurn(holders(), next, A_PATROL)) mend(`the mailbox of ${name}`, rulesOf(name), name)
    next += A_PATROL
    const spoolCtimeMs = statOrNothing(disk, layout.spool)?.ctimeMs
    const count = spoolCtimeMs === patrolledCtimeMs ? FEW_BOXES : A_PATROL
    patrolledCtimeMs = spoolCtimeMs
    for (const name of inTurn(boxes(), nextBox, count)) mend(`the box of ${name}`, spoolBoxRules(layout, name))
    nextBox += count
  }

  function mend(whose: string, rules: readonly Rule[], holder?: Name): void {
    const deviations = make(rules, holder)
    for (const [path, owner] of told) {
      if (owner !== whose || deviations.some((one) => one.path.endsWith(path))) continue
      told.delete(path)
      given.clear('unreadable-file', path)
    }
    for (const { path, what, mended } of deviations) {
      const about = path.slice(layout.root.length + 1)
      told.set(about, whose)
      given.raise({
        code: 'unreadable-file',
        about,
        ...(holder === undefined ? {} : { agent: holder }),
        sentence: `The folder ${about} ${what.startsWith('was') ? what : `had ${what}`}; it ${mended ? 'was mended' : 'will be tried again'}.`,
        fix: `ls -ld ${shellWord(about)}`,
      })
    }
  }

  return {
    patrol,
    all: () => [
      ...make(rootRules(layout)),
      ...boxes().flatMap((name) => make(spoolBoxRules(layout, name))),
      ...holders().flatMap((name) => make(rulesOf(name), name)),
    ],
    holder: (name) => void make(rulesOf(name), name),
    box: (name) => void make(spoolBoxRules(layout, name)),
    guides: guides.all,
  }
}
