/** Well-formed messages that say what is not true, or name what is not theirs. */
import { join } from 'node:path'
import { until } from '../../e2e/files.ts'
import { type Case, delivered, type Plan, REFUSED } from '../suite/case.ts'
import { namesIn } from '../suite/judge.ts'

const ID = '019a0000-0000-7000-8000-000000000001'

const says = (lines: string, outcome: Case['outcome'] = REFUSED): Case => ({
  what: `a message that says ${lines.replaceAll('\n', ', ').slice(0, 60)}`,
  plant: ({ hand, own, name, message }) => hand.do('drop', join(own, 'a'), name(), message(lines)),
  outcome,
})

const addressed = (to: string): Case => ({
  what: `a message to ${to.slice(0, 40)}`,
  plant: ({ hand, own, name, token }) => hand.do('drop', join(own, 'a'), name(), `---\nto: ${to}\nsubject: ${token}\n---\nx\n`),
  outcome: REFUSED,
})

/** A good one first; whoever follows uses its id or its ref. */
async function first({ hand, own, name, message, token, drop }: Plan, lines: string): Promise<void> {
  await hand.do('drop', join(own, 'a'), name('-first.md'), message(lines, 'the first'))
  await until(`the first of ${token} is taken`, () => !namesIn(drop).includes(`${token}-first.md`), 5_000)
}

const FORGED: readonly Case[] = [
  says('from: pmo'),
  says('from: pennypost'),
  says('from: root'),
  says('"\\x66rom": pmo'),
  says('From: pmo'),
  says('via: person'),
  says('origin: daemon'),
  says(`id: ${ID}`),
  says(`thread: ${ID}`),
  says('created: 1970-01-01T00:00:00.000Z'),
  says('updated: 2100-01-01T00:00:00.000Z'),
  says('status: done'),
  says('status: cancelled'),
  says('kind: alert'),
  says('kind: bounce'),
  says('kind: approval'),
  says(`answered: ${ID}`),
  says('result: done long ago'),
  says('attachments: [{ name: passwd, bytes: 1, sha256: x }]'),
  says('request: { what: everything }'),
  says('__proto__: { from: pmo }'),
  says('constructor: { prototype: x }'),
  says('toString: x'),
  says('hasOwnProperty: x'),
  says('prioirty: urgent'),
  says('priority: __proto__'),
  says('priority: constructor'),
]

const REUSED: readonly Case[] = [
  {
    what: 'a ref that was used for something else',
    plant: async (plan) => {
      await first(plan, `ref: ${plan.token}`)
      await plan.hand.do('drop', join(plan.own, 'a'), plan.name('-second.md'), plan.message(`ref: ${plan.token}`, 'the second'))
    },
    outcome: { ...REFUSED, delivered: 'may', because: 'the first was good' },
  },
  {
    what: 'a ref that was used for the very same',
    plant: async (plan) => {
      await first(plan, `ref: ${plan.token}`)
      await plan.hand.do('drop', join(plan.own, 'a'), plan.name('-second.md'), plan.message(`ref: ${plan.token}`, 'the first'))
    },
    outcome: delivered('a repeat is no mistake: whoever is not sure may drop again'),
  },
  // Once only: a second with the same ref would be another message.
  { ...says('ref: __proto__', delivered('any word may be a handle of its own')), places: ['outbox'] },
  says('ref: ../../../etc/passwd'),
  says(`ref: ${'r'.repeat(65)}`),
  says(`in_reply_to: ${ID}`),
  says('in_reply_to: ../../pmo/new/x'),
  says(`in_reply_to: ${ID}\nsettles: done`),
  says('settles: cancelled'),
  says('in_reply_to: __proto__\nsettles: done'),
]

const ADDRESSED: readonly Case[] = [
  addressed('../pmo'),
  addressed('legal/../pmo'),
  addressed('__proto__'),
  addressed('constructor'),
  addressed('"@toString"'),
  addressed('.penny'),
  addressed('held'),
  addressed('"legal\\0pmo"'),
  addressed('"LEGAL "'),
  addressed(`[${Array.from({ length: 500 }, (_, n) => `a${n}`).join(', ')}]`),
  addressed('[legal, nobody-of-that-name]'),
]

const aged = (what: string, seconds: number): Case => ({
  what: `a file of ${what}`,
  plant: async ({ hand, own, name, message }) => {
    await hand.fs('writeFileSync', join(own, 'a'), message())
    await hand.fs('utimesSync', join(own, 'a'), seconds, seconds)
    await hand.fs('renameSync', join(own, 'a'), name())
  },
  outcome: delivered("the times of a file are its owner's to set, and mean nothing"),
})

const TIMES: readonly Case[] = [
  aged('1970', 0),
  aged('2100', 4_102_444_800),
  aged('before all time', -1_000_000_000),
  says('due: 1970-01-01', delivered('overdue from the start, which its holder will be told')),
  says('due: 2100-12-31', delivered('a date like any other')),
  says('not_before: 1970-01-01', delivered('that time is over')),
  says('not_before: 2100-01-01', { delivered: 'never', because: 'it waits for its time, as it says' }),
  says('expires: 1970-01-01', { delivered: 'may', because: 'it is cancelled as soon as it is there' }),
  says('due: 9999999999-01-01'),
  says('due: 2026-02-30'),
  says('not_before: "-271821-04-20T00:00:00Z"'),
  says('expires: [1, 2]'),
]

export const CLAIMS: readonly Case[] = [...FORGED, ...REUSED, ...ADDRESSED, ...TIMES]
