/** What changes while it is looked at, and who does not let go. */
import { join } from 'node:path'
import { type Case, delivered, harmless, type Plan, REFUSED, refusedBy } from '../suite/case.ts'

const RACE_MS = 250

/** A whole message and something else take turns under one name; what is there at the end must be told of. */
function swapped(what: string, make: (plan: Plan, aside: string) => Promise<unknown>, after: Case['outcome'] = REFUSED): Case {
  return {
    what: `a message that takes turns with ${what}`,
    race: true,
    plant: async (plan) => {
      const { hand, name, own, message } = plan
      await make(plan, name('.part'))
      await hand.do('drop', join(own, 'a'), name(), message())
      await hand.do('swap', name(), name('.part'), RACE_MS)
      await hand.fs('rmSync', name(), { recursive: true, force: true })
      await hand.fs('rmSync', name('.part'), { recursive: true, force: true })
      await make(plan, name())
    },
    outcome: (where) => ({ ...(typeof after === 'function' ? after(where) : after), delivered: 'may', because: 'the message itself was good' }),
  }
}

export const MOMENTS: readonly Case[] = [
  swapped('a link to a secret', ({ hand, outside }, aside) => hand.fs('symlinkSync', outside.secret, aside)),
  swapped('a link to a folder', ({ hand, outside }, aside) => hand.fs('symlinkSync', outside.folder, aside)),
  swapped('a pipe', ({ hand }, aside) => hand.do('mkfifo', aside)),
  swapped('a folder', ({ hand }, aside) => hand.fs('mkdirSync', aside)),
  swapped('what cannot be admitted', ({ hand, message }, aside) => hand.fs('writeFileSync', aside, message('prioirty: high'))),
  {
    what: 'a link to a victim that takes turns with a link to a secret under one name',
    race: true,
    plant: async ({ hand, name, outside }) => {
      await hand.fs('symlinkSync', outside.victim, name('.part'))
      await hand.fs('symlinkSync', outside.secret, name())
      await hand.do('swap', name(), name('.part'), RACE_MS)
      await hand.fs('rmSync', name('.part'), { force: true })
      await hand.fs('rmSync', name(), { force: true })
      await hand.fs('symlinkSync', outside.victim, name())
    },
    outcome: REFUSED,
  },
  {
    what: 'a message that is written again and again, and whole at the end',
    race: true,
    plant: async ({ hand, name, own, message }) => {
      await hand.do('rewrite', name(), [message('', 'one'), '---\nto: [\n', message('', 'x'.repeat(100_000))], RACE_MS)
      await hand.fs('rmSync', name(), { force: true })
      await hand.do('drop', join(own, 'a'), name(), message())
    },
    outcome: harmless('what was whole in between may have been taken, and what was not held'),
  },
  {
    what: 'a message that goes away and comes back',
    race: true,
    plant: async ({ hand, name, own, message }) => {
      await hand.do('drop', join(own, 'a'), name(), message())
      await hand.do('rename', name(), name('.part'), RACE_MS)
    },
    outcome: delivered('it was good all the time'),
  },
  {
    what: 'another message under the same name all the time',
    race: true,
    plant: ({ hand, name, own, message }) => hand.do('replace', name(), join(own, 'a'), message(), RACE_MS),
    outcome: delivered('each that is there for long enough is one of its own'),
  },
  {
    what: 'a message that grows all the time',
    race: true,
    plant: async ({ hand, name, message }) => {
      await hand.fs('writeFileSync', name(), message())
      await hand.do('append', name(), 'and more\n', RACE_MS)
    },
    outcome: harmless('what came late is a drop of its own, without front matter'),
  },
  {
    what: 'a descriptor that was opened before and writes on after admission',
    plant: async ({ hand, name, message }) => {
      await hand.fs('writeFileSync', name(), message())
      await hand.do('keepOpen', name(), 'a', 'late words\n').catch(() => undefined)
    },
    outcome: harmless('as long as it is open for writing it is not whole; if it was taken before, the late part is a drop of its own'),
  },
  {
    what: 'a message that its writer never closes',
    plant: ({ hand, name, message }) => hand.do('keepOpen', name(), 'wx', message()),
    outcome: { delivered: 'never', because: 'page 2: never taken, however long the writer pauses' },
  },
  {
    what: 'a message that somebody has mapped into memory to write',
    plant: ({ hand, name, message }) => hand.do('mapped', name(), message()),
    outcome: { delivered: 'never', because: 'it is open for writing' },
  },
  {
    what: 'a message under a write lease',
    plant: async ({ hand, name, own, message }) => {
      await hand.fs('writeFileSync', join(own, 'a'), message())
      await hand.do('writeLease', join(own, 'a'))
      await hand.fs('renameSync', join(own, 'a'), name())
    },
    outcome: harmless('its holder has it for writing; the kernel takes the lease away when its time is over'),
  },
  {
    what: 'a message with a lock that is never let go',
    plant: async ({ hand, name, own, message }) => {
      await hand.fs('writeFileSync', join(own, 'a'), message())
      await hand.do('lock', join(own, 'a'))
      await hand.fs('renameSync', join(own, 'a'), name())
    },
    outcome: delivered('locks are for who asks for them'),
  },
  {
    what: 'a lock on the folder itself that is never let go',
    places: ['outbox'],
    plant: async ({ hand, name, drop, own, message }) => {
      await hand.do('lock', drop)
      await hand.do('drop', join(own, 'a'), name(), message())
    },
    outcome: delivered('locks are for who asks for them'),
  },
  {
    what: 'a link where a message was a moment ago, to what another may not change',
    plant: async ({ hand, name, own, message, outside }) => {
      await hand.do('drop', join(own, 'a'), name(), message('status: done'))
      await hand.fs('rmSync', name(), { force: true })
      await hand.fs('symlinkSync', outside.victim, name())
    },
    outcome: refusedBy(2_000, 'the one or the other is told, or both'),
  },
]
