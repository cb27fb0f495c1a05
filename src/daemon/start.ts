/** What must hold before anything is wired: the root, its format, the lock, the configuration, the file system. */

import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { describeProblem } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import { FORMAT, parseFormat } from '../core/format.ts'
import { shellWord } from '../core/text.ts'
import { type Layout, provision, rootRules } from '../mailbox/index.ts'
import { type LogLevel, realSystem, type System } from '../system/index.ts'
import { judgeFileSystem } from './filesystem.ts'
import { type InForce, putInForce } from './inforce.ts'
import { lockRoot } from './lock.ts'
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
  process.umask(0o077)
  mkdirSync(layout.own, { recursive: true, mode: 0o711 })
  chmodSync(layout.own, 0o711)
  const format = `${layout.own}/format`
  if (!existsSync(format)) writeFileSync(format, `${FORMAT}\n`)
  chmodSync(format, 0o644)
  const found = parseFormat(readFileSync(format, 'utf8'))
  if (found === undefined || found > FORMAT)
    return {
      exit: 78,
      why: `${layout.own} has format ${found ?? 'unknown'}; this version knows ${FORMAT}`,
      fix: 'install the newer version of pennypost again',
    }
  const lock = await lockRoot(secretOf(layout))
  if ('heldBy' in lock) {
    const who = lock.heldBy > 0 ? `pid ${lock.heldBy}` : 'it does not say its pid: stopped, or very busy'
    return { exit: 75, why: `a daemon already runs on ${layout.root} (${who})`, fix: 'penny status' }
  }
  for (const folder of [layout.staging, layout.private('run')]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  const system = await realSystem(layout.staging, logLevel, (line) => process.stderr.write(line))
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
  return { system, config: loaded.config, inForce, policiesSeen, release: lock.release }
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

/** Names the lock; whoever cannot read it can neither take the lock nor ask for it. */
function secretOf(layout: Layout): string {
  const path = `${layout.own}/lock`
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('hex'), { mode: 0o600 })
  return readFileSync(path, 'utf8')
}
