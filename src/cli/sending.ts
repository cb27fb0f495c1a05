/** A letter on its way: where it is dropped, in whose name, and what became of it. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { Dropped, WaitedCopy } from '../core/control.ts'
import { idTimeMs, isMessageId, isRef } from '../core/ids.ts'
import { isSettled, isStatus } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { sameOption, withOptions } from './again.ts'
import { askWithin, type Daemon, findOwnDaemon } from './client.ts'
import { type Call, flag, type Option, textOption } from './command.ts'
import { dropAttachments, dropMessage } from './drop.ts'
import { EXIT, GONE, Refusal, refuse, UP, unless } from './exit.ts'
import { checkLetter, type LetterValue, writeLetter } from './letter.ts'
import { fixOf, say, sayJson, statusOrUp, tell } from './print.ts'
import { rootOf, type Seat, seatOf } from './root.ts'
import { personOf } from './roster.ts'
import { pause } from './times.ts'

export const SENDING_OPTIONS: Readonly<Record<string, Option>> = {
  subject: { type: 'string', short: 's', value: 'SUBJECT', about: 'one line, at most 200 characters; default: the first line of the body' },
  attach: { type: 'string', short: 'a', multiple: true, value: 'FILE', about: 'a file that goes with it' },
  message: { type: 'string', short: 'm', value: 'BODY', about: 'the body, instead of standard input' },
  ref: { type: 'string', value: 'R', about: 'a handle of your own; sending the same again under it is no second message' },
  wait: { type: 'boolean', about: 'wait until it is settled, then print the reply' },
  agent: { type: 'string', value: 'A', about: 'in whose name (for the operator)' },
}

/** How long an own drop is watched before we say that nobody takes it. Milliseconds. */
const TAKEN_WITHIN_MS = 4_000
/** Admission takes 2 s at most, but for attachments (10 s). Milliseconds. */
const ADMITTED_WITHIN_MS = 15_000
const LOOK_EACH_MS = 25
/** A longer body makes no command to paste. */
const MOST_PASTED = 2_000

type Fate = Readonly<{ kind: 'admitted'; copies: readonly WaitedCopy[] }> | Readonly<{ kind: 'taken' }> | Readonly<{ kind: 'dropped' }>

type Keys = Readonly<Record<string, LetterValue>>
type Sent = Readonly<{ drop: Dropped; fate: Fate; path: string; seat: Seat | undefined; daemon: Daemon | undefined }>

/** Drops it, waits for admission where somebody can be asked, prints the ids (or the ref). */
export async function dispatchLetter(call: Call, keys: Keys, body: Buffer, attach: readonly string[]): Promise<number> {
  const { drop, fate, path, seat, daemon } = await sendLetter(call, keys, body, attach)
  report(call, drop.ref, fate, path)
  if (fate.kind === 'dropped' && daemon && textOption(call, 'not-before') === undefined) return EXIT.tryAgain
  return flag(call, 'wait') ? waitForSettling(call, drop, fate, seat, daemon) : EXIT.ok
}

/** The same, without a word. */
export async function sendLetter(call: Call, keys: Keys, body: Buffer, attach: readonly string[]): Promise<Sent> {
  const seat = seatOf(call)
  const ref = textOption(call, 'ref') ?? `${Date.now().toString(36)}-${randomBytes(6).toString('hex')}`
  if (!isRef(ref))
    refuse(
      EXIT.usage,
      `--ref ${JSON.stringify(ref)} cannot be`,
      'a ref is at most 64 of A-Za-z0-9._-',
      sameOption(call, 'ref')(ref.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64) || 'a-word'),
    )
  checkLetter(call, keys['subject'] as string | undefined, body)
  const wait = flag(call, 'wait')
  if (wait && call.surroundings.env['PENNY_RUN'])
    refuse(
      EXIT.tryAgain,
      'a run does not wait: set blocked_on',
      'waiting would keep one of the places in which runs are started; a blocked task comes back by itself',
      fixOfWaiting(call, ref, body),
    )
  const root = seat?.own ? undefined : rootOf(call)
  const found = root === undefined ? 'not ours' : await findOwnDaemon(root)
  const daemon = typeof found === 'object' ? found : undefined
  if (wait && found === undefined) refuse(EXIT.noDaemon, 'the daemon is not running', 'nobody would settle what you wait for; nothing was sent', UP)

  const folder = seat ? `${seat.workspace}/outbox` : layoutOf(root ?? rootOf(call)).spool
  const names = dropAttachments(
    folder,
    attach.map((file) => resolve(call.surroundings.cwd, file)),
  )
  const bytes = writeLetter({ ref, ...keys, attach: names }, body)
  // Whatever can fail is done before: what is dropped is sent, and sending again would be a second message.
  const from = seat?.name ?? personOf(root ?? '', call.surroundings)
  const droppedMs = Date.now()
  const path = dropMessage(folder, ref, bytes)
  const drop = { name: basename(path), from, ref, sha256: createHash('sha256').update(bytes).digest('hex') }
  const fate = daemon ? await askFate(daemon, drop, call) : found === undefined ? DROPPED : await watchFate(path, ref, seat, droppedMs)
  return { drop, fate, path, seat, daemon }
}

/** Instead of waiting: the same command under a ref that can be waited for, and with the body that standard input gives only once. */
function fixOfWaiting(call: Call, ref: string, body: Buffer): string {
  const read = textOption(call, 'message') === undefined ? body.toString('utf8').replace(/\n$/, '') : undefined
  const isLong = read !== undefined && read.length > MOST_PASTED
  const more = { ref: textOption(call, 'ref') === undefined ? ref : undefined, message: isLong ? undefined : read }
  return `${withOptions(call, more, 'wait')}${isLong ? ' < FILE' : ''} && penny settle "$PENNY_ID" blocked --on ${shellWord(ref)}`
}

const DROPPED: Fate = { kind: 'dropped' }

/** Admitted, or refused as held; a daemon that says nothing for long, or goes away, leaves it dropped. */
async function askFate(daemon: Daemon, drop: Dropped, call: Call): Promise<Fate> {
  const ms = textOption(call, 'not-before') === undefined ? ADMITTED_WITHIN_MS : TAKEN_WITHIN_MS / 4
  try {
    const answer = await askWithin(ms, (until) => daemon.ask({ verb: 'wait', drop, settled: false }, undefined, until))
    return answer === 'late' ? DROPPED : { kind: 'admitted', copies: answer.copies }
  } catch (cause) {
    if (cause instanceof Refusal && cause.exit === EXIT.noDaemon) return DROPPED
    throw cause
  }
}

/** An own file can be seen to go, also in a folder that cannot be listed. */
async function watchFate(path: string, ref: string, seat: Seat | undefined, droppedMs: number): Promise<Fate> {
  const until = Date.now() + TAKEN_WITHIN_MS
  while (existsSync(path)) {
    if (Date.now() >= until) return DROPPED
    await pause(LOOK_EACH_MS)
  }
  return seat ? fateBySeat(seat, ref, droppedMs, until) : { kind: 'taken' }
}

/** An agent sees by its own folders what became of its drop: a mirror in sent/, or a bounce in new/. */
async function fateBySeat(seat: Seat, ref: string, droppedMs: number, until: number): Promise<Fate> {
  const { readHead, readMessage } = await import('./head.ts')
  const { textValue } = await import('../core/row.ts')
  const since = (folder: string): string[] =>
    // The daemon mends a folder that is gone.
    (unless(GONE, () => readdirSync(`${seat.workspace}/${folder}`)) ?? [])
      .filter((name) => isRecent(name, droppedMs - 1000))
      .map((name) => `${seat.workspace}/${folder}/${name}`)
  for (;;) {
    const copies: WaitedCopy[] = []
    for (const path of since('sent')) {
      const head = await readHead(path)
      const id = textValue(head?.['id'])
      if (head && textValue(head['ref']) === ref && id !== undefined && isMessageId(id))
        copies.push({ id, to: textValue(head['to']) ?? '', status: isStatus(head['status']) ? head['status'] : null })
    }
    if (copies.length > 0) return { kind: 'admitted', copies }
    for (const path of since('new')) {
      const shown = await readMessage(path)
      if (shown && textValue(shown.values['kind']) === 'bounce' && shown.text.includes(ref))
        refuse(EXIT.badMessage, 'the message was not admitted', shown.body.trim(), `cat ${shellWord(path)}`)
    }
    if (Date.now() >= until) return { kind: 'taken' }
    await pause(LOOK_EACH_MS * 2)
  }
}

function isRecent(name: string, sinceMs: number): boolean {
  const id = name.split('.')[1] ?? ''
  return isMessageId(id) && idTimeMs(id) >= sinceMs
}

function report(call: Call, ref: string, fate: Fate, path: string): void {
  const copies = fate.kind === 'admitted' ? fate.copies : []
  if (call.json) return sayJson(call, { state: fate.kind, ref, ids: copies.map(({ id }) => id), copies: copies.map(({ id, to }) => ({ id, to })) })
  for (const { id } of copies) say(call, id)
  if (fate.kind === 'admitted') return
  say(call, ref)
  tell(
    call,
    fate.kind === 'taken'
      ? `taken; ${fixOf(call.surroundings, `penny log ${ref}`)} tells the operator what became of it`
      : `dropped as ${path}; not admitted yet${textOption(call, 'not-before') === undefined ? `   fix: ${statusOrUp(call.surroundings)}   # sent again with --ref ${ref} it is no second message` : ': it is delivered when its time has come'}`,
  )
}

/** 0 where every copy is done; 1 where one failed or was cancelled. */
async function waitForSettling(call: Call, drop: Dropped, fate: Fate, seat: Seat | undefined, daemon: Daemon | undefined): Promise<number> {
  const { askReply, findReply, mirrorOf } = await import('./answers.ts')
  let settled: readonly WaitedCopy[]
  if (daemon) settled = (await daemon.ask({ verb: 'wait', drop, settled: true })).copies
  else {
    if (fate.kind !== 'admitted' || !seat) return refuse(EXIT.tryAgain, 'it cannot be waited for', 'the message was not seen to be admitted', `penny tasks`)
    for (settled = fate.copies; ; await pause(250)) {
      settled = await Promise.all(settled.map(async (copy) => (await mirrorOf(seat, copy)) ?? copy))
      if (settled.every(({ status }) => status === null || isSettled(status))) break
    }
  }
  for (const copy of settled) {
    const reply = daemon ? await askReply(rootOf(call), daemon, copy.id) : await findReply(seat?.workspace ?? '', copy.id)
    if (call.json) sayJson(call, { state: 'settled', ref: drop.ref, ...copy, reply: reply?.body ?? null })
    else answer(call, copy, reply?.body)
  }
  return settled.some(({ status }) => status === 'failed' || status === 'cancelled') ? EXIT.no : EXIT.ok
}

function answer(call: Call, copy: WaitedCopy, body: string | undefined): void {
  tell(call, `${copy.to}: ${copy.status ?? 'delivered'}`)
  const text = body ?? copy.result
  if (text !== undefined) call.surroundings.out(text.endsWith('\n') ? text : `${text}\n`)
  else if (copy.status === 'failed') tell(call, `  fix: ${fixOf(call.surroundings, `penny log ${copy.id}`)}   # says why`)
}
