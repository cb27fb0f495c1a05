/** The attacker's own folders: planted names, folders that were renamed, led elsewhere or locked, names that a library would make up. */
import { join } from 'node:path'
import { type Case, delivered, harmless, type Plan, refusedBy, STRAY } from '../suite/case.ts'
import type { Hand } from '../suite/hand.ts'

const MADE_UP = '019a0000-0000-7000-8000-000000000001'
const OWN = { places: ['outbox'] as const }
const BACK = refusedBy(5_000, 'page 3: what vanished is put back within 5 s')

const inMailbox = (
  what: string,
  name: (plan: Plan) => string,
  put: (plan: Plan, path: string) => Promise<unknown>,
  outcome: Case['outcome'] = STRAY,
): Case => ({
  ...OWN,
  what: `in its own mailbox, ${what}`,
  plant: (plan) => put(plan, join(plan.workspace, name(plan))),
  outcome,
})

const PLANTED: readonly Case[] = [
  inMailbox(
    'a file of its own',
    ({ token }) => `new/${token}.md`,
    ({ hand, message }, path) => hand.fs('writeFileSync', path, message()),
  ),
  inMailbox(
    'a message that nobody delivered',
    ({ token }) => `new/1-urgent.${MADE_UP}.${token}.md`,
    ({ hand, message }, path) => hand.fs('writeFileSync', path, message(`id: ${MADE_UP}\nfrom: ceo`)),
  ),
  inMailbox(
    'a link to a secret',
    ({ token }) => `new/${token}.md`,
    ({ hand, outside }, path) => hand.fs('symlinkSync', outside.secret, path),
  ),
  inMailbox(
    'a link with the name of a delivered message',
    ({ token }) => `new/1-urgent.${MADE_UP.replace(/1$/, '2')}.${token}.md`,
    ({ hand, outside }, path) => hand.fs('symlinkSync', outside.secret, path),
  ),
  inMailbox(
    'a pipe in cur/',
    ({ token }) => `cur/${token}.md`,
    ({ hand }, path) => hand.do('mkfifo', path),
  ),
  {
    ...inMailbox(
      'a device in cur/',
      ({ token }) => `cur/${token}.md`,
      ({ root }, path) => root.do('mknod', path, 'c', 1, 5),
    ),
    byRoot: true,
  },
  inMailbox(
    'a folder in done/',
    ({ token }) => `done/${token}.md`,
    ({ hand }, path) => hand.fs('mkdirSync', path),
  ),
  inMailbox(
    'a month in done/ that is a link',
    () => 'done/1999-01',
    (plan, path) => plan.hand.fs('symlinkSync', plan.outside.folder, path).then(() => [shownOf(plan, '/done/1999-01')]),
  ),
  inMailbox(
    'a name that is no text',
    ({ token }) => `new/${token}`,
    ({ hand }, path) => hand.fs('writeFileSync', Buffer.concat([Buffer.from(path), Buffer.from([0xff])]), 'x'),
  ),
]

/** What a library would call the file it writes before it renames it. */
const GUESSED: readonly Case[] = [
  ...['.123456789', '.tmp', '~', '.part'].map(
    (ending): Case => ({
      what: `beside a good message, a link to a victim called as a library would call its temporary file (${ending})`,
      plant: async ({ hand, own, name, message, outside }) => {
        await hand.fs('symlinkSync', outside.victim, name(`.md${ending}`))
        await hand.do('drop', join(own, 'a'), name(), message())
      },
      outcome: delivered('nothing of that name is ever opened'),
    }),
  ),
  {
    what: 'beside a good message, the folder that a library takes for its lock',
    plant: async ({ hand, own, name, message }) => {
      await hand.fs('mkdirSync', name('.md.lock'))
      await hand.do('drop', join(own, 'a'), name(), message())
    },
    outcome: ({ place }) => ({
      ...(place === 'spool' ? {} : { alertMs: 12_000 }),
      delivered: 'must',
      because: `no lock is looked for; the folder itself is a ${place === 'spool' ? 'box of nobody' : 'stray'}`,
    }),
  },
  {
    ...OWN,
    what: 'links to a victim under the names of a delivered message and its temporary files',
    plant: async ({ hand, workspace, outside, receive }) => {
      const { path, file, id } = await receive()
      for (const ending of ['.tmp', '~', '.lock', '.123456789']) await hand.fs('symlinkSync', outside.victim, `${path}${ending}`)
      await hand.fs('renameSync', path, join(workspace, 'cur', file))
      return [id]
    },
    outcome: STRAY,
  },
  ...['AGENTS.md', 'CLAUDE.md', 'ROLE.md'].map(
    (file): Case => ({
      ...OWN,
      what: `${file} at home is a link to a victim`,
      plant: async ({ hand, workspace, outside }) => {
        await hand.fs('rmSync', join(workspace, 'home', file), { force: true })
        await hand.fs('symlinkSync', outside.victim, join(workspace, 'home', file))
      },
      outcome: harmless('it is written anew beside it and renamed over it; a home is its own'),
    }),
  ),
]

const shownOf = ({ workspace }: Plan, folder = ''): string => `workspaces/${workspace.slice(workspace.lastIndexOf('/') + 1)}${folder}`

/** A delivered message, taken away by its holder, with something else in its place. */
const instead = (what: string, put: (plan: Plan, path: string) => Promise<unknown>, outcome: Case['outcome'] = BACK): Case => ({
  ...OWN,
  what: `in the place of a delivered message, ${what}`,
  plant: async (plan) => {
    const { path, id } = await plan.receive()
    await plan.hand.fs('rmSync', path)
    await put(plan, path)
    // Of more than a few at once the mailbox is told as a whole.
    return [id, `about: ${shownOf(plan)}\n`]
  },
  outcome,
})

const INSTEAD: readonly Case[] = [
  instead('a link to a secret', ({ hand, outside }, path) => hand.fs('symlinkSync', outside.secret, path)),
  instead('a link to a victim', ({ hand, outside }, path) => hand.fs('symlinkSync', outside.victim, path)),
  instead("a hard link to another's file", ({ root, outside }, path) => root.fs('linkSync', outside.linked, path)),
  instead('a pipe', ({ hand }, path) => hand.do('mkfifo', path)),
  instead('a folder', ({ hand }, path) => hand.fs('mkdirSync', path)),
  instead('a terabyte of holes', async ({ hand }, path) => {
    await hand.fs('writeFileSync', path, '')
    await hand.fs('truncateSync', path, 1024 ** 4)
  }),
  instead('code', ({ hand }, path) => hand.fs('writeFileSync', path, '---js\nprocess.exit(1)\n---\nx\n')),
]

/** Mail to the attacker itself follows, so that the daemon has to go where the folder is. */
const folder = (what: string, name: string, change: (plan: Plan, path: string) => Promise<unknown>, more: Partial<Case> = {}): Case => ({
  ...OWN,
  changes: name.replace('/files', ''),
  what: `${name}/ ${what}`,
  plant: async (plan) => {
    await change(plan, join(plan.workspace, name))
    return [shownOf(plan, `/${name}`)]
  },
  outcome: refusedBy(2_000, 'it is repaired, and told'),
  ...more,
})

/** In system mode the workspace is root's: what its agent cannot do there, an operator's mistake can. */
const whoMayRename = ({ mode, hand, root }: Plan): Hand => (mode === 'system' ? root : hand)

async function leadElsewhere(plan: Plan, path: string): Promise<void> {
  const hand = whoMayRename(plan)
  await hand.fs('symlinkSync', plan.outside.folder, join(plan.own, 'aside'))
  await hand.do('exchange', path, join(plan.own, 'aside'))
}

const FOLDERS: readonly Case[] = [
  ...['new', 'cur', 'done', 'outbox', 'home', 'outbox/files'].map((name) => folder('is a link to a folder of another', name, leadElsewhere)),
  ...['new', 'outbox'].map((name) => folder('was renamed', name, (plan, path) => whoMayRename(plan).fs('renameSync', path, `${path}-${plan.token}`))),
  ...['new', 'cur', 'done', 'outbox', 'home'].map((name) => folder('may be read by nobody', name, ({ hand }, path) => hand.fs('chmodSync', path, 0))),
  folder('is a pipe', 'new', async (plan, path) => {
    const hand = whoMayRename(plan)
    await hand.do('mkfifo', join(plan.own, 'aside'))
    await hand.do('exchange', path, join(plan.own, 'aside'))
  }),
  folder('is open to everybody', 'outbox', ({ hand }, path) => hand.fs('chmodSync', path, 0o777)),
  ...['sent', 'attachments', 'runs'].map((name) =>
    folder('is a link to a folder of another', name, leadElsewhere, { leftOut: { system: "the workspace and this folder are root's" } }),
  ),
]

export const PLACES: readonly Case[] = [...PLANTED, ...GUESSED, ...INSTEAD, ...FOLDERS]
