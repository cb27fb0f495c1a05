/** Owners and modes of every folder against the table of who may enter (contract, page 5). */
import { lstatSync } from 'node:fs'
import { dirname } from 'node:path'
import { addressable, type Config } from '../core/config.ts'
import { shellWord } from '../core/text.ts'
import { agentRules, type Layout, leadsNowhere, personRules, type Rule, rootRules, spoolBoxRules } from '../mailbox/index.ts'
import { type Finding, note, ok, skipped, wrong } from './check.ts'
import { checkContents } from './check-contents.ts'
import { codeOf, UNSEEN, unless } from './exit.ts'

export function checkOwners(layout: Layout, config: Config): Finding[] {
  const own = owner(layout.own)
  if (own === undefined) return [note('owners', 'the daemon makes the folders when it first starts', 'penny up --detach')]
  const findings = [
    ...rootRules(layout).flatMap((rule) => [...judge(rule, own, undefined, false), ...contentsOf(rule, own, undefined)]),
    ...boxRules(layout, config).flatMap((rule) => judge(rule, own, undefined, true)),
    ...holdersRules(layout, config).flatMap((rules) => judgeAll(rules, own)),
  ]
  return findings.length > 0 ? findings : [ok('owners', 'every folder has the owner and mode it should have')]
}

/**
 * Those alone that only root and the daemon's user can change, as far as they are there. A folder that an agent or a person owns, or
 * made where anybody can make one, is left out with what lies in it: whoever changes it would keep down the mail of all others.
 */
export function checkDaemonsOwn(layout: Layout, config: Config): Finding[] {
  const own = owner(layout.own)
  if (own === undefined) return []
  const rules = [...rootRules(layout), ...boxRules(layout, config), ...holdersRules(layout, config).flat()]
  const foreign = new Set(rules.filter(({ path, closed }) => closed && owner(path) !== own).map(({ path }) => path))
  return rules
    .filter(({ path, user }) => user === 'daemon' && !foreign.has(path) && !foreign.has(dirname(path)))
    .flatMap((rule) => judge(rule, own, undefined, true))
}

function boxRules(layout: Layout, config: Config): Rule[] {
  return addressable(config).flatMap((name) => spoolBoxRules(layout, name))
}

function holdersRules(layout: Layout, config: Config): Rule[][] {
  return [...[...config.agents.keys()].map((name) => agentRules(layout, name)), ...[...config.people.keys()].map((name) => personRules(layout, name))]
}

/** A holder is who owns most of what should be the holder's: the uid itself is handed out by the daemon. */
function judgeAll(rules: readonly Rule[], daemon: number): Finding[] {
  const counts = new Map<number, number>()
  for (const { path, user } of rules) {
    const uid = user === 'holder' ? owner(path) : undefined
    if (uid !== undefined) counts.set(uid, (counts.get(uid) ?? 0) + 1)
  }
  const holder = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0]
  return rules.flatMap((rule) => [...judge(rule, daemon, holder, false), ...contentsOf(rule, daemon, holder)])
}

/** Where the folder itself is another's, that is told, and the daemon gives it back with what lies in it. */
function contentsOf(rule: Rule, daemon: number, holder: number | undefined): Finding[] {
  const wanted = rule.user === 'daemon' ? daemon : (holder ?? daemon)
  const stat = unless(UNSEEN, () => lstatSync(rule.path))
  return stat?.isDirectory() && stat.uid === wanted ? checkContents(rule, stat.uid, stat.gid, asRoot()) : []
}

/** `mayMiss`: the daemon makes it when it starts. */
function judge(rule: Rule, daemon: number, holder: number | undefined, mayMiss: boolean): Finding[] {
  const { path, user, mode } = rule
  try {
    const stat = lstatSync(path)
    const word = shellWord(path)
    if (!stat.isDirectory()) return [wrong('owners', `${path} is no folder`, `ls -ld ${word}`)]
    const is = stat.mode & 0o7777
    const wanted = user === 'daemon' ? daemon : (holder ?? daemon)
    const found: Finding[] = []
    const [chownCommand, chmodCommand] = [`${asRoot()}chown`, `${asRoot(stat.uid)}chmod`]
    if (stat.uid !== wanted)
      found.push(wrong('owners', `${path} belongs to uid ${stat.uid}, not ${wanted}`, `${chownCommand} ${shellWord(String(wanted))} ${word}`))
    if (is !== mode) found.push(wrong('owners', `${path} has mode ${octal(is)}, not ${octal(mode)}`, `${chmodCommand} ${octal(mode)} ${word}`))
    return found
  } catch (cause) {
    if (leadsNowhere(cause)) return mayMiss ? [] : [wrong('owners', `${path} is not there`, 'penny up --detach')]
    if (codeOf(cause) === 'EACCES') return [skipped('owners', `${path} may not be looked at`)]
    throw cause
  }
}

/** What only root, or the owner of the folder, may do. */
function asRoot(owner = 0): string {
  const self = process.geteuid?.() ?? 0
  return self === 0 || self === owner ? '' : 'sudo '
}

function owner(path: string): number | undefined {
  try {
    return lstatSync(path).uid
  } catch (cause) {
    if (leadsNowhere(cause) || codeOf(cause) === 'EACCES') return undefined
    throw cause
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
