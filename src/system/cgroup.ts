/** Memory limits of runs: cgroups below the daemon's own, where its supervisor gave it one for that (systemd: Delegate=yes). Version 2 only. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Log, RunGroups } from './types.ts'

/** What the kernel is told: of the group that all runs lie in, and of each. */
export type Limits = Readonly<{ controller: string; all: Readonly<Record<string, string>>; each: Readonly<Record<string, string>> }>

const part = (of: number): string => String(Math.floor(totalmem() * of))

/** One run alone must not take the machine's memory from the others; all of them together leave the daemon and the system room to go on. */
const MEMORY: Limits = {
  controller: 'memory',
  all: { 'memory.max': part(0.8) },
  // With one process of a run all of them end: half a program is no use to anybody.
  each: { 'memory.max': part(0.5), 'memory.oom.group': '1' },
}

/** Why there are none, or the daemon's own group. `mountInfo`, `ownGroups`: /proc/self/mountinfo, /proc/PID/cgroup. */
export function findOwnGroup(mountInfo: string, ownGroups: string): Readonly<{ own: string }> | Readonly<{ why: string }> {
  const mounted = /^\S+ \S+ \S+ \/ (\S+) .* - cgroup2 /m.exec(mountInfo)?.[1]
  const path = /^0::(\/.*)$/m.exec(ownGroups)?.[1]
  if (mounted === undefined || path === undefined) return { why: 'there is no cgroup v2' }
  // Of any other somebody else may decide.
  if (!path.endsWith('.service')) return { why: `${path} is no service's own cgroup` }
  return { own: `${mounted}${path}` }
}

export function surveyGroups(pid: number | 'self'): ReturnType<typeof findOwnGroup> {
  return findOwnGroup(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
}

/** Undefined, and logged: runs have no limit of memory. Moves this process into `daemon/`, as a group that has limits below it may hold none itself. */
export function openRunGroups(own: string, pid: number, log: Log, limits = MEMORY): RunGroups | undefined {
  const read = (name: string): string => readFileSync(`${own}/${name}`, 'utf8').trim()
  const without = (why: string): undefined => {
    log('warn', 'memory of runs is not limited', { why })
    return undefined
  }
  try {
    if (!read('cgroup.controllers').split(' ').includes(limits.controller)) return without(`${own} has no controller of memory`)
    if (read('cgroup.procs') !== String(pid)) return without(`other processes are in ${own}`)
    const runs = `${own}/runs`
    for (const folder of [`${own}/daemon`, runs]) mkdirSync(folder, { recursive: true })
    writeFileSync(`${own}/daemon/cgroup.procs`, String(pid))
    for (const folder of [own, runs]) writeFileSync(`${folder}/cgroup.subtree_control`, `+${limits.controller}`)
    write(runs, limits.all)
    return groupsBelow(runs, log, limits)
  } catch (cause) {
    return without(String(cause))
  }
}

/** `runs`: the group that all of them lie in. What a daemon before this one left there is ended. */
function groupsBelow(runs: string, log: Log, limits: Limits): RunGroups {
  /** Over, but what was in them is not gone yet. */
  const left = new Set<string>()
  const tryRemove = (): void => {
    for (const group of left) {
      try {
        rmdirSync(group)
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EBUSY') continue
        log('warn', 'the cgroup of a run cannot be removed', { group, why: String(cause) })
      }
      left.delete(group)
    }
  }
  const end = (group: string): void => {
    try {
      // Linux 5.14; what left the run's process group dies with it.
      writeFileSync(`${group}/cgroup.kill`, '1')
    } catch (cause) {
      log('debug', 'the cgroup of a run cannot be killed', { group, why: String(cause) })
    }
    left.add(group)
    tryRemove()
  }
  for (const { name } of readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory())) end(`${runs}/${name}`)
  return {
    make: (run) => {
      tryRemove()
      const group = `${runs}/${run}`
      try {
        mkdirSync(group)
        write(group, limits.each)
        return group
      } catch (cause) {
        log('warn', 'the memory of a run is not limited', { run, why: String(cause) })
        left.add(group)
        return undefined
      }
    },
    remove: (group) => {
      const ranOut = hasRunOut(group)
      end(group)
      return ranOut
    },
  }
}

function write(group: string, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) writeFileSync(`${group}/${name}`, value)
}

function hasRunOut(group: string): boolean {
  try {
    return /^oom_kill [1-9]/m.test(readFileSync(`${group}/memory.events`, 'utf8'))
  } catch {
    // No such controller, or gone.
    return false
  }
}

/** proc_pid_oom_score_adj(5): half of the machine's memory more than it has, in the eyes of the kernel. */
const OOM_SCORE = 500
/** One that is more expendable already stays so: to be less takes a right. */
const EXPENDABLE = `{ read -r score < /proc/self/oom_score_adj; [ "$score" -ge ${OOM_SCORE} ] || echo ${OOM_SCORE} > /proc/self/oom_score_adj; } 2>/dev/null`
const ENTERED = '[ "$0" = sh ] || { echo 0 > "$0/cgroup.procs"; } 2>/dev/null'

/**
 * The words that start a program which ends before the daemon does where the machine has no memory left, in its group if it has one.
 * Where either cannot be had, it goes on without.
 */
export function expendable(group: string | undefined, argv: readonly string[]): string[] {
  return ['/bin/sh', '-c', `${EXPENDABLE}; ${ENTERED}; exec "$@"`, group ?? 'sh', ...argv]
}
