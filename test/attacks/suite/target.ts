/** The daemon that is attacked: one of ours in either mode, or any other that environment variables describe. */
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Test } from 'tap'
import { AM_ROOT, ORDINARY, type Owner, organisation } from '../../e2e/driver.ts'
import { pause, until } from '../../e2e/files.ts'
import type { Mode } from './case.ts'

export type Target = Readonly<{
  mode: Mode
  spool: string
  outbox: string | undefined
  /** Where good mail, and nothing of what is planted, must come. */
  inbox: string
  alerts: string | undefined
  /** What stands in `to:` to come there. */
  recipient: string
  /** The attacker's uid; undefined: ours. */
  attacker: Owner | undefined
  /** Whose the secrets are; undefined: ours. */
  trusted: Owner | undefined
  /** A folder for secrets, victims and the attacker's own, on the file system of the drop folders and outside all mail. */
  base: string
  /** Searched for what must not be there. */
  search: readonly string[]
  /** Must stay as they are, as the victims must. */
  watch: readonly string[]
  pid: () => number
  /** A whole message of somebody who attacks nobody. */
  drop: (name: string, text: string) => void
  end: () => Promise<Readonly<{ gone: boolean; ms: number; status: number | null | undefined }>>
  /** Undefined: it can be ended only once, when all is over. */
  start: (() => Promise<void>) | undefined
}>

export async function ours(t: Test, mode: Mode): Promise<Target> {
  const as = mode === 'user' && AM_ROOT ? { as: ORDINARY } : {}
  // As many as the organisation that the program is made for has.
  const agents = Object.fromEntries(['legal', 'pmo', 'eve', ...Array.from({ length: 27 }, (_, n) => `agent-${n + 1}`)].map((name) => [name, '']))
  // A comment that nobody but the operator may ever read.
  const org = await organisation(t, { ...as, agents, org: '# penny-canary-policies-0123456789abcdef01234567\n' })
  await org.up()
  const base = join(org.base, 'attack')
  mkdirSync(base, { mode: 0o711 })
  writeFileSync(org.at('workspaces/pmo/home/diary.txt'), 'penny-canary-diary-0123456789abcdef01234567\n', { mode: 0o600 })
  const owner = mode === 'system' ? org.owner('pmo') : as.as
  if (owner) chownSync(org.at('workspaces/pmo/home/diary.txt'), owner.uid, owner.gid)
  const eve = mode === 'system' ? org.owner('eve') : as.as
  return {
    mode,
    spool: org.at('spool'),
    outbox: org.at('workspaces/eve/outbox'),
    inbox: org.at('workspaces/legal/new'),
    alerts: org.at('spool/alerts'),
    recipient: 'legal',
    attacker: eve,
    trusted: as.as,
    base,
    search: [org.at('spool'), org.at('workspaces'), org.at('.penny'), dirname(logOf(org.pid()))],
    watch: [org.at('policies'), org.at('workspaces/pmo/home')],
    pid: org.pid,
    drop: (name, text) => void org.drop(`workspaces/pmo/outbox/${name}`, text, owner),
    end: async () => {
      const { status, ms } = await org.end('SIGTERM')
      return { gone: true, ms, status }
    },
    start: org.up,
  }
}

/** The log is what its standard error leads to. */
function logOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/fd/2`)
}

/** One that ended and that nobody has buried yet does not. */
export function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
}

export const IS_POINTED = process.env['PENNY_ATTACK_SPOOL'] !== undefined

/** The variables are told of in README.md beside this folder. */
export function pointed(t: Test, env: Readonly<Record<string, string | undefined>>): Target {
  const needed = (name: string): string => {
    const value = env[name]
    if (value === undefined || value === '') throw new Error(`${name} is not set: see test/attacks/README.md`)
    return value
  }
  const spool = needed('PENNY_ATTACK_SPOOL')
  const inbox = needed('PENNY_ATTACK_INBOX')
  const pid = Number(needed('PENNY_ATTACK_PID'))
  const outbox = env['PENNY_ATTACK_OUTBOX']
  const start = env['PENNY_ATTACK_START']
  const daemon = statSync(`/proc/${pid}`)
  const [uid = '', gid = uid] = (env['PENNY_ATTACK_AS'] ?? '').split(':')
  const folder = outbox === undefined ? daemon : statSync(outbox)
  const attacker = uid === '' ? { uid: folder.uid, gid: folder.gid } : { uid: Number(uid), gid: Number(gid) }
  const base = mkdtempSync(join(dirname(dirname(spool)), 'penny-attack-'))
  chmodSync(base, 0o711)
  t.teardown(() => rmSync(base, { recursive: true, force: true }))
  let now = pid
  const good = env['PENNY_ATTACK_GOOD'] ?? spool
  return {
    mode: attacker.uid === daemon.uid ? 'user' : 'system',
    spool,
    outbox,
    inbox,
    alerts: env['PENNY_ATTACK_ALERTS'],
    recipient: env['PENNY_ATTACK_TO'] ?? basename(dirname(inbox)),
    attacker: AM_ROOT ? attacker : undefined,
    trusted: AM_ROOT ? { uid: daemon.uid, gid: daemon.gid } : undefined,
    base,
    search: (env['PENNY_ATTACK_SEARCH'] ?? dirname(spool)).split(':'),
    watch: (env['PENNY_ATTACK_WATCH'] ?? '').split(':').filter((path) => path !== ''),
    pid: () => now,
    drop: (name, text) => {
      const staged = join(base, `.${name}`)
      writeFileSync(staged, text)
      const whose = good === spool ? daemon : statSync(good)
      chownSync(staged, whose.uid, whose.gid)
      renameSync(staged, join(good, name))
    },
    end: async () => {
      const from = performance.now()
      process.kill(now, 'SIGTERM')
      while (isRunning(now) && performance.now() - from < 5_000) await pause(10)
      const ended = { gone: !isRunning(now), ms: performance.now() - from, status: undefined }
      if (!ended.gone) process.kill(now, 'SIGKILL')
      return ended
    },
    start:
      start === undefined
        ? undefined
        : async () => {
            const child = spawn('/bin/sh', ['-c', `exec ${start}`], { stdio: ['ignore', 'ignore', 'inherit'] })
            t.teardown(() => child.kill('SIGKILL'))
            now = child.pid ?? 0
            await until('the daemon to take good mail again', () => isRunning(now), 10_000)
          },
  }
}
