/** What is no plain file of its owner's, or no file that a message may be. */
import { join } from 'node:path'
import { type Case, delivered, harmless, REFUSED, refusedBy, UNFINISHED } from '../suite/case.ts'

const link = (what: string, to: (plan: Parameters<Case['plant']>[0]) => string): Case => ({
  what: `a link ${what}`,
  plant: (plan) => plan.hand.fs('symlinkSync', to(plan), plan.name()),
  outcome: REFUSED,
})

const LINKS: readonly Case[] = [
  link('to a secret', ({ outside }) => outside.secret),
  link('to a secret, with .. on the way', ({ own, token }) => `${own}/../../outside/${token}/secret.md`),
  link('to nothing', () => '/nonexistent/file.md'),
  link('to a folder', ({ outside }) => outside.folder),
  link('to itself', ({ token }) => `${token}.md`),
  link("to the daemon's environment", () => '/proc/self/environ'),
  link("to the daemon's own descriptor", () => '/proc/self/fd/2'),
  link("to the daemon's root", () => '/proc/self/root/etc/passwd'),
  link('to a device that never ends', () => '/dev/zero'),
  link('to the terminal', () => '/dev/tty'),
  link('to the accounts of the machine', () => '/etc/passwd'),
  link('to the configuration', ({ drop, place }) => (place === 'spool' ? join(drop, '../policies/org.yaml') : join(drop, '../../../policies/org.yaml'))),
  link('to what another keeps in its home', ({ drop, place }) =>
    join(drop, place === 'spool' ? '../workspaces/pmo/home/diary.txt' : '../../pmo/home/diary.txt'),
  ),
  {
    what: 'a loop of two links',
    plant: async ({ hand, name, own, token }) => {
      await hand.fs('symlinkSync', name(), join(own, token))
      await hand.fs('symlinkSync', join(own, token), name())
    },
    outcome: REFUSED,
  },
  {
    what: 'a chain of thirty links to a secret',
    plant: async ({ hand, name, own, outside }) => {
      for (let n = 0; n < 30; n++) await hand.fs('symlinkSync', n === 0 ? outside.secret : join(own, `${n - 1}`), join(own, `${n}`))
      await hand.fs('symlinkSync', join(own, '29'), name())
    },
    outcome: REFUSED,
  },
  {
    what: 'a link to a message of its own',
    plant: async ({ hand, name, own, message }) => {
      await hand.fs('writeFileSync', join(own, 'mine.md'), message())
      await hand.fs('symlinkSync', join(own, 'mine.md'), name())
    },
    outcome: REFUSED,
  },
]

const FILES: readonly Case[] = [
  {
    what: "a hard link to another's file",
    // The kernel forbids it to eve herself where fs.protected_hardlinks is set; not everywhere it is.
    plant: ({ root, name, outside }) => root.fs('linkSync', outside.linked, name()),
    outcome: REFUSED,
  },
  {
    what: 'two names for one message',
    plant: async ({ hand, name, own, message }) => {
      await hand.do('drop', join(own, 'a'), join(own, 'b'), message())
      await hand.fs('linkSync', join(own, 'b'), name())
    },
    outcome: REFUSED,
  },
  { what: 'a pipe that nobody writes', plant: ({ hand, name }) => hand.do('mkfifo', name()), outcome: REFUSED },
  {
    what: 'a pipe that somebody holds open',
    plant: async ({ hand, name, own }) => {
      // Opened first: one that lies there is taken at once.
      await hand.do('mkfifo', join(own, 'held-pipe'))
      await hand.do('keepOpen', join(own, 'held-pipe'), 'r+')
      await hand.fs('renameSync', join(own, 'held-pipe'), name())
    },
    outcome: REFUSED,
  },
  {
    what: 'a pipe with a message in it',
    plant: async ({ hand, name, own, message }) => {
      await hand.do('mkfifo', join(own, 'pipe'))
      await hand.do('keepOpen', join(own, 'pipe'), 'r+', message())
      await hand.fs('renameSync', join(own, 'pipe'), name())
    },
    outcome: REFUSED,
  },
  { what: 'a socket that listens', plant: ({ hand, name }) => hand.do('listen', name()), outcome: REFUSED },
  ...(
    [
      ['c', 1, 3, 'a device that swallows everything'],
      ['c', 1, 5, 'a device that never ends'],
      ['c', 5, 0, 'a terminal'],
      ['c', 0, 0, 'a whiteout of an overlay'],
      ['b', 7, 200, 'a disk'],
    ] as const
  ).map(
    ([type, major, minor, what]): Case => ({ what, byRoot: true, plant: ({ root, name }) => root.do('mknod', name(), type, major, minor), outcome: REFUSED }),
  ),
  { what: 'a folder with the name of a message', plant: ({ hand, name }) => hand.fs('mkdirSync', name()), outcome: REFUSED },
  {
    what: 'a folder with the name of a message, and with a message and a link in it',
    plant: async ({ hand, name, message, outside }) => {
      await hand.fs('mkdirSync', name())
      await hand.fs('writeFileSync', join(name(), 'inside.md'), message())
      await hand.fs('symlinkSync', outside.secret, join(name(), 'link.md'))
    },
    outcome: REFUSED,
  },
  { what: 'folders deeper than any path is long', plant: ({ hand, name }) => hand.do('deep', name(), 40), outcome: REFUSED },
  {
    what: 'a message over the limit',
    plant: ({ hand, name, message, own }) => hand.do('drop', join(own, 'a'), name(), message('', 'x'.repeat(300_000))),
    outcome: REFUSED,
  },
  {
    what: 'thirty megabytes',
    plant: ({ hand, name, message, own }) => hand.do('drop', join(own, 'a'), name(), message('', 'x'.repeat(30_000_000))),
    outcome: REFUSED,
  },
  ...([1024 ** 3, 1024 ** 4] as const).map(
    (bytes): Case => ({
      what: `${bytes / 1024 ** 3} GiB of holes behind a message`,
      plant: async ({ hand, name, message, own }) => {
        await hand.fs('writeFileSync', join(own, 'a'), message())
        await hand.fs('truncateSync', join(own, 'a'), bytes)
        await hand.fs('renameSync', join(own, 'a'), name())
      },
      outcome: REFUSED,
    }),
  ),
  {
    what: 'nothing but holes',
    plant: async ({ hand, name, own }) => {
      await hand.fs('writeFileSync', join(own, 'a'), '')
      await hand.fs('truncateSync', join(own, 'a'), 100_000)
      await hand.fs('renameSync', join(own, 'a'), name())
    },
    outcome: ({ place }) => ({ ...REFUSED, because: `no text, and in the ${place} not a message either` }),
  },
  { what: 'an empty file', plant: ({ hand, name }) => hand.fs('writeFileSync', name(), ''), outcome: UNFINISHED },
  {
    what: 'a message that its owner let nobody read',
    plant: async ({ hand, name, own, message }) => {
      await hand.fs('writeFileSync', join(own, 'a'), message())
      await hand.fs('chmodSync', join(own, 'a'), 0)
      await hand.fs('renameSync', join(own, 'a'), name())
    },
    outcome: ({ mode }) => (mode === 'system' ? delivered('root may read it, and it is what its owner sends') : REFUSED),
  },
  {
    what: 'a message with every bit of its mode set',
    plant: async ({ hand, name, own, message }) => {
      await hand.fs('writeFileSync', join(own, 'a'), message())
      await hand.fs('chmodSync', join(own, 'a'), 0o7777)
      await hand.fs('renameSync', join(own, 'a'), name())
    },
    outcome: delivered('what it may be used for elsewhere is no business of the mail'),
  },
  {
    what: 'a message of an uid that nobody has',
    byRoot: true,
    plant: async ({ root, name, outside, message }) => {
      const aside = `${outside.folder.replace('/outside/', '/own/').replace(/\/folder$/, '')}/foreign`
      await root.fs('writeFileSync', aside, message())
      await root.fs('chownSync', aside, 54_321, 54_321)
      await root.fs('renameSync', aside, name())
    },
    outcome: ({ mode }) => (mode === 'system' ? REFUSED : harmless('one ordinary user runs everything: what lies there is taken for its own')),
  },
  {
    what: "a file of root's that only root may read",
    byRoot: true,
    places: ['outbox'],
    plant: async ({ root, name, own, message }) => {
      await root.fs('writeFileSync', join(own, 'root'), message())
      await root.fs('chmodSync', join(own, 'root'), 0o600)
      await root.fs('renameSync', join(own, 'root'), name())
    },
    outcome: refusedBy(2_000, 'it may be a link of before'),
  },
]

export const KINDS: readonly Case[] = [...LINKS, ...FILES]
