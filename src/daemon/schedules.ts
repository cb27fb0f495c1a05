/** Drops a schedule's message: judged like anybody's, sent once per slot. */
import { createHash } from 'node:crypto'
import { type Asked, judge } from '../admit/index.ts'
import type { Config, Schedule } from '../core/config.ts'
import { describeComplaint } from '../core/fault.ts'
import type { Envelope } from '../core/message.ts'
import type { Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import type { Deliver } from '../deliver/index.ts'
import { parseMessage } from '../message/index.ts'
import { route } from '../route/index.ts'
import { RETRY_MS } from '../schedule/index.ts'
import type { Full } from './full.ts'
import type { State } from './state.ts'

export type ScheduleDropGiven = Readonly<{
  config: () => Config
  asked: () => Asked
  deliver: () => Deliver
  state: State
  ready: Promise<void>
  raise: Raise
  waitsForRoom: Full['waitsFor']
}>

export function scheduleDrop(given: ScheduleDropGiven): (schedule: Schedule, slotMs: number) => Promise<void> {
  return async (schedule, slotMs) => {
    await given.ready
    const key = `schedule:${schedule.name}:${slotMs}`
    if (given.state.handles.letter(key) !== undefined) return
    const config = given.config()
    const parsed = parseMessage(Buffer.from(schedule.text), { ...config.org.limits, leavesRoom: true })
    const name = `${schedule.name}.md`
    const envelope: Envelope = {
      from: 'pennypost',
      via: 'schedule',
      folder: 'policies/schedules',
      name,
      box: undefined,
      sha256: createHash('sha256').update(schedule.text).digest('hex'),
    }
    const refuse = (what: string): void =>
      given.raise({
        code: 'bad-value',
        about: `policies/schedules/${name}`,
        sentence: `The schedule ${schedule.name} could not be sent: ${what}`,
        fix: `\${EDITOR:-vi} ${shellWord(`policies/schedules/${name}`)}`,
      })
    if (!parsed.ok) return refuse(parsed.complaints.map((one) => describeComplaint(name, one)).join('; '))
    const verdict = judge(envelope, parsed.message, config, given.asked(), (addresses, from, asked) =>
      route(addresses, { config, from, load: asked.load, wroteBefore: () => false }),
    )
    if (verdict.verdict === 'wait') {
      if (verdict.full !== undefined) given.waitsForRoom(verdict.full, RETRY_MS)
      throw Object.assign(new Error(verdict.full === undefined ? 'not every message is known yet' : `the mailbox of ${verdict.full} is full`), {
        code: 'EAGAIN',
      })
    }
    if (verdict.verdict === 'hold') return refuse(verdict.complaints.map((one) => describeComplaint(name, one)).join('; '))
    if (verdict.verdict === 'repeat') return
    const { attach: _attach, inReplyTo: _parent, misleadingName: _name, priority, ...plan } = verdict.plan
    await given.deliver().deliver({ ...plan, envelope, text: schedule.text, attachments: [], priority: priority.name, rank: priority.rank, key }, undefined)
  }
}
