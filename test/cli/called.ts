/** Calls commands as a shell would, without a process, and keeps what they print. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { Test } from 'tap'
import { main } from '../../src/cli/main.ts'

export type Ended = Readonly<{ status: number; out: string; err: string }>
export type How = Readonly<{
  cwd?: string
  input?: string | Buffer
  env?: Readonly<Record<string, string>>
  uid?: number
  terminal?: boolean
  out?: () => never
}>

export async function penny(args: readonly string[], how: How = {}): Promise<Ended> {
  const out: Buffer[] = []
  let err = ''
  const status = await main(args, {
    env: { PATH: process.env['PATH'] ?? '', ...how.env },
    cwd: how.cwd ?? '/',
    typed: ['/opt/penny.js', ...args],
    uid: how.uid ?? process.geteuid?.() ?? 0,
    stdin: Readable.from([Buffer.from(how.input ?? '')]),
    stdinIsTerminal: how.terminal ?? false,
    stdoutIsTerminal: false,
    out: how.out ?? ((text) => void out.push(Buffer.from(text))),
    err: (text) => {
      err += text
    },
  })
  return { status, out: Buffer.concat(out).toString('utf8'), err }
}

/** The same as a user who may only do what everybody may: give what must be closed to others the mode 0. */
export async function pennyOfAStranger(args: readonly string[], how: Omit<How, 'uid'> = {}): Promise<Ended> {
  if (process.geteuid?.() !== 0) return penny(args, how)
  process.seteuid?.(STRANGER)
  try {
    return await penny(args, { ...how, uid: STRANGER })
  } finally {
    process.seteuid?.(0)
  }
}

/** A uid without an entry in /etc/passwd. */
const STRANGER = 54_321

export function objects(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** An organisation with legal, pmo and an operator, whose folders are there as the daemon makes them. */
export function organisation(t: Test, root = t.testdir()): string {
  write(`${root}/policies/org.yaml`, 'name: acme\npostmaster: operator\n')
  for (const name of ['legal', 'pmo']) write(`${root}/policies/agents/${name}.md`, `---\ntitle: The ${name}\n---\nYou are ${name}.\n`)
  write(`${root}/policies/people/operator.md`, '---\nnotify: []\n---\n')
  write(`${root}/policies/groups/team.yaml`, 'members: [legal, pmo]\n')
  for (const name of ['legal', 'pmo', 'operator']) {
    for (const folder of ['new', 'cur', 'done', 'outbox/files', 'sent', 'home']) mkdirSync(`${root}/workspaces/${name}/${folder}`, { recursive: true })
  }
  mkdirSync(`${root}/spool/files`, { recursive: true })
  mkdirSync(`${root}/.penny/journal`, { recursive: true })
  return root
}

/** The same where a stranger can come to: a checkout may lie in a folder that is closed to others. */
export function openOrganisation(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'penny-cli-'))
  chmodSync(root, 0o755)
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return organisation(t, root)
}

/** A full id whose last characters are `ending`; a greater `order` sorts later. */
export function idOf(ending: string, order = 1): string {
  return `01a1f000-${String(order).padStart(4, '0')}-7000-8000-${ending.padStart(12, '0')}`
}

export type Letter = Readonly<{
  id: string
  holder: string
  folder: string
  priority?: string
  rank?: number
  head?: Readonly<Record<string, string>>
  body?: string
}>

/** A delivered message as the daemon writes it; its path. */
export function deliver(root: string, { id, holder, folder, priority = 'normal', rank = 3, head = {}, body = 'Please do.\n' }: Letter): string {
  const keys: Record<string, string> = {
    id,
    from: 'pmo',
    via: 'agent',
    to: holder,
    subject: 'Review',
    kind: 'task',
    priority,
    thread: id,
    created: '2026-11-21T08:00:00.000Z',
    updated: '2026-11-21T08:00:00.000Z',
    status: folder === 'new' ? 'open' : folder === 'cur' ? 'in_progress' : 'done',
    ...head,
  }
  const lines = Object.entries(keys)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}: ${value}\n`)
  const path = `${root}/workspaces/${holder}/${folder}/${rank}-${priority}.${id}.review.md`
  write(path, `---\n${lines.join('')}---\n${body}`)
  return path
}
