/** What the attacks share: programs of a hostile agent, and the good mail of others that must not notice. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { AM_ROOT, type Organisation, PENNY, REACHABLE } from '../e2e/driver.ts'
import { lettersOf, message, until } from '../e2e/files.ts'

export const asAgents = { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read: an agent that is not the operator' }

/** What page 3 promises of a complete file. Milliseconds. */
const WITHIN_MS = 2_000

/** A program for any uid: `libc` is there, with what Node has no call for. Returns the words that start it. */
export function hostileProgram(org: Pick<Organisation, 'base'>, name: string, script: string): string {
  const koffi = createRequire(PENNY).resolve('koffi')
  const path = join(org.base, 'hostile', `${name}.cjs`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `const fs = require('node:fs')\nconst koffi = require(${JSON.stringify(koffi)})\nconst libc = koffi.load('libc.so.6')\n${script}`)
  chmodSync(path, 0o755)
  return `${process.execPath} ${path}`
}

/** Starts a program as an agent; who did not end by itself ends with the test. */
export function attack(t: Test, org: Organisation, name: string, script: string, args: readonly string[], agent = 'eve'): Readonly<{ isOver: () => boolean }> {
  const [program = '', path = ''] = hostileProgram(org, name, script).split(' ')
  const running = spawn(program, [path, ...args], { ...org.owner(agent), stdio: ['ignore', 'ignore', 'inherit'] })
  t.teardown(() => running.kill('SIGKILL'))
  return { isOver: () => running.exitCode !== null || running.signalCode !== null }
}

let written = 0

/** A message of one who is not hostile to another; resolves to the milliseconds until it is there. */
export async function goodMail(org: Organisation, from: string, to: string, head: Readonly<Record<string, string>> = {}): Promise<number> {
  const subject = `good ${++written}`
  const { at } = org.drop(`workspaces/${from}/outbox/good-${written}.md`, message({ to, subject, kind: 'note', ...head }))
  await until(subject, () => lettersOf(org.root, to).some((one) => one.head.get('subject') === subject), 20_000)
  return performance.now() - at
}

/** Sends good mail over and over until `over` says so, and holds each to the contract. */
export async function goodMailMeanwhile(t: Test, org: Organisation, over: () => boolean, what: string): Promise<void> {
  let slowest = 0
  do slowest = Math.max(slowest, await goodMail(org, 'legal', 'pmo'))
  while (!over())
  t.ok(slowest <= WITHIN_MS, `${what}: the mail of others took ${Math.round(slowest)} ms`)
}

/** The most memory the daemon has had so far. Bytes. */
export function peakMemory(org: Organisation): number {
  const [, kilobytes = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${org.pid()}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}
