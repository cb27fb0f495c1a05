/** What must hold before anything is wired: the root, its format, the lock, the configuration, the file system. */

import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { describeProblem } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import { FORMAT, parseFormat } from '../core/format.ts'
import { shellWord } from '../core/text.ts'
import { type Layout, provision, rootRules } from '../mailbox/index.ts'
import { openRunGroups, surveyGroups } from '../system/cgroup.ts'
import { type LogLevel, type RunGroups, realSystem, type System, writeStateNow } from '../system/index.ts'
import { boundedWriter } from '../system/logfile.ts'
import { judgeFileSystem } from './filesystem.ts'
import { type InForce, putInForce } from './inforce.ts'
import { lockRoot, secretOf } from './lock.ts'
import { readConfig } from './machine.ts'
import { checkPathTo } from './pathcheck.ts'
import { fingerprint, refusalOf } from './policies.ts'

/** Why the daemon does not start: exit status (sysexits), a sentence, a command. */
export type NoStart = Readonly<{ exit: number; why: string; fix: string }>
/** `policiesSeen`: the fingerprint of policies/ from before it was read. */
export type Prepared = Readonly<{ system: System; config: Config; inForce: InForce; policiesSeen: string }>
export type Started = Prepared & Readonly<{ release: () => void }>

export async function prepare(layout: Layout, logLevel: LogLevel, strict: boolean): Promise<Started | NoStart> {
  if (!existsSync(`${layout.policies}/org.yaml`))
    return { exit: 66, why: `${layout.root} is no organisation: it has no policies/org.yaml`, fix: `penny init ${shellWord(layout.root)}` }
  const foreign = anothers(layout)
  if (foreign) return foreign
  process.umask(0o077)
  mkdirSync(layout.own, { recursive: true, mode: 0o711 })
  chmodSync(layout.own, 0o711)
  const format = `${layout.own}/format`
  if (!existsSync(format)) writeStateNow(format, `${FORMAT}\n`)
  chmodSync(format, 0o644)
  const found = parseFormat(readFileSync(format, 'utf8'))
  if (found === undefined || found > FORMAT)
    return {
      exit: 78,
      why: `${layout.own} has format ${found ?? 'unknown'}; this version knows ${FORMAT}`,
      fix: 'install the newer version of pennypost again',
    }
  const secret = secretOf(layout.own)
  if (secret === undefined) {
    const path = `${layout.own}/lock`
    return {
      exit: 78,
      why: `${path} does not hold what a daemon wrote there; a new one is made once no daemon runs and it is gone`,
      fix: `penny down; rm ${shellWord(path)}`,
    }
  }
  const lock = await lockRoot(secret)
  if ('heldBy' in lock) {
    const who = lock.heldBy > 0 ? `pid ${lock.heldBy}` : 'it does not say its pid: stopped, or very busy'
    return { exit: 75, why: `a daemon already runs on ${layout.root} (${who})`, fix: 'penny status' }
  }
  for (const folder of [layout.staging, layout.private('run')]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const system = await realSystem(layout.staging, logLevel, boundedWriter(`${layout.private('run')}/daemon.log`, process.stderr))
  const policiesSeen = fingerprint(system.disk, layout.policies)
  const loaded = tryLookups(layout, () => readConfig(system.disk, layout, system.self.uid))
  if ('exit' in loaded) return loaded
  if (!loaded.ok)
    return {
      exit: 78,
      why: loaded.problems.map(describeProblem).join('\n'),
      fix: `\${EDITOR:-vi} ${shellWord(`${layout.policies}/${loaded.problems[0]?.file ?? 'org.yaml'}`)}`,
    }
  const self = { daemon: system.self, operatorsGid: system.self.gid, holder: undefined, readersGid: undefined, give: false }
  provision(
    system.disk,
    rootRules(layout).filter(({ path }) => path !== layout.policies),
    self,
  )
  const broken = judgeFileSystem(system.disk, layout, statfsSync(layout.staging).type)
  const isOverruled = broken?.mayOverrule === true && process.env['PENNY_ANY_FILESYSTEM'] === '1'
  if (broken && !isOverruled) return { exit: 78, ...broken }
  if (broken) system.log('warn', 'started all the same, as PENNY_ANY_FILESYSTEM says', { why: broken.why })
  const [wrong] = strict ? checkPathTo(system.disk, layout.root, system.self.uid, system.self.uid === 0) : []
  if (wrong) return { exit: 78, why: `${wrong.path} ${wrong.what}`, fix: wrong.fix }
  const inForce = tryLookups(layout, () => putInForce(system, layout, loaded.config))
  if ('exit' in inForce) return inForce
  rmSync(layout.daemonSocket, { force: true })
  return { system: { ...system, groups: groupsOf(system) }, config: loaded.config, inForce, policiesSeen, release: lock.release }
}

function groupsOf({ log }: System): RunGroups | undefined {
  const found = surveyGroups('self')
  if ('own' in found) return openRunGroups(found.own, process.pid, log)
  log('info', 'memory of runs is not limited', found)
  return undefined
}

/** A machine that can't say who its accounts are is no better than one without them. What its disk refuses has statuses of its own. */
function tryLookups<T extends object>(layout: Layout, work: () => T): T | NoStart {
  try {
    return work()
  } catch (cause) {
    const refusal = (cause as NodeJS.ErrnoException).code === 'ELOOKUP' ? refusalOf(cause, layout.root) : undefined
    if (!refusal) throw cause
    return { exit: 78, ...refusal }
  }
}

/** An ordinary user can mend nothing that is another's: it is said before anything is begun, with the command for all of it. */
function anothers({ root, own, spool, alerts, held, workspaces }: Layout): NoStart | undefined {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0]
  if (uid === 0) return undefined
  const inIt = (folder: string): string[] => (ownerOf(folder) === uid ? readdirSync(folder).map((name) => `${folder}/${name}`) : [])
  const holders = inIt(workspaces).filter((path) => lstatSync(path).isDirectory())
  const path = [own, ...inIt(own), spool, alerts, held, workspaces, ...holders, ...holders.flatMap(inIt)].find((one) => (ownerOf(one) ?? uid) !== uid)
  if (path === undefined) return undefined
  const [idsWord, rootWord] = [shellWord(`${uid}:${gid}`), shellWord(root)]
  return {
    exit: 77,
    why: `${path} belongs to uid ${ownerOf(path)}: where an ordinary user runs an organisation, all of it is that user's; where root does, agents have uids of their own`,
    // What has another name elsewhere may be a file that an agent linked to get it.
    fix: `sudo find ${rootWord} -xdev \\( -type d -o -links 1 \\) -exec chown -h ${idsWord} {} +   # or, as it ran before: sudo penny up --root ${rootWord}`,
  }
}

/** undefined: it is not there. */
function ownerOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.uid
}
