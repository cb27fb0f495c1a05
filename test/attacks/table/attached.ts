/** Attachments that lead to what is not the sender's. */
import { join } from 'node:path'
import { type Case, harmless, MISSING, type Plan, REFUSED } from '../suite/case.ts'

/** A message that names what was put there before. */
async function send({ hand, own, name, message }: Plan, attach: readonly string[]): Promise<unknown> {
  return hand.do('drop', join(own, 'a'), name(), message(`attach: ${JSON.stringify(attach)}`))
}

const called = (what: string, attach: (plan: Plan) => string, outcome: Case['outcome'] = REFUSED): Case => ({
  what: `an attachment called ${what}`,
  plant: (plan) => send(plan, [attach(plan)]),
  outcome,
})

/** In files/ beside the message, under a name with the token. */
const inFiles = (what: string, put: (plan: Plan, path: string) => Promise<unknown>, outcome: Case['outcome'] = REFUSED): Case => ({
  what: `an attachment that is ${what}`,
  plant: async (plan) => {
    const { hand, drop, token } = plan
    // Whoever writes there first makes it, where nobody did.
    await hand.fs('mkdirSync', join(drop, 'files'), { recursive: true })
    await put(plan, join(drop, 'files', `${token}.bin`))
    return send(plan, [`${token}.bin`])
  },
  outcome,
})

const CALLED: readonly Case[] = [
  called('the way up to a secret', ({ token }) => `../../../attack/outside/${token}/text.txt`),
  called('a way down and up', ({ token }) => `a/../../../../${token}.txt`),
  called('a secret by its whole path', ({ outside }) => outside.text),
  called('by a path of the kernel', () => '/proc/self/environ'),
  called('nothing', () => ''),
  called('.', () => '.', MISSING),
  called('..', () => '..'),
  called('files/', () => 'files/'),
  called('with NUL in it', ({ outside }) => `x.txt\0${outside.text}`),
  called('with a new line in it', () => 'a\nb.txt'),
  called('~/.ssh/id_ed25519', () => '~/.ssh/id_ed25519', MISSING),
  called('file:///etc/passwd', () => 'file:///etc/passwd', MISSING),
  called('__proto__', () => '__proto__', MISSING),
  called('longer than any path', () => 'x/'.repeat(3_000)),
  {
    what: 'nine attachments',
    plant: (plan) =>
      send(
        plan,
        Array.from({ length: 9 }, (_, n) => `${plan.token}-${n}`),
      ),
    outcome: REFUSED,
  },
  {
    what: 'an attachment that is the message itself',
    plant: (plan) => send(plan, [`${plan.token}.md`]),
    outcome: MISSING,
  },
]

const IN_FILES: readonly Case[] = [
  inFiles('a link to a secret', ({ hand, outside }, path) => hand.fs('symlinkSync', outside.text, path)),
  inFiles("a link to the daemon's environment", ({ hand }, path) => hand.fs('symlinkSync', '/proc/self/environ', path)),
  inFiles('a link to nothing', ({ hand }, path) => hand.fs('symlinkSync', '/nonexistent', path)),
  inFiles("a hard link to another's file", ({ root, outside }, path) => root.fs('linkSync', outside.linked, path)),
  inFiles('a pipe', ({ hand }, path) => hand.do('mkfifo', path)),
  inFiles('a socket', ({ hand }, path) => hand.do('listen', path)),
  { ...inFiles('a device', ({ root }, path) => root.do('mknod', path, 'c', 1, 5)), byRoot: true },
  inFiles('a folder', ({ hand }, path) => hand.fs('mkdirSync', path)),
  inFiles('a terabyte of holes', async ({ hand }, path) => {
    await hand.fs('writeFileSync', path, '')
    await hand.fs('truncateSync', path, 1024 ** 4)
  }),
  inFiles('being written for ever', ({ hand }, path) => hand.do('keepOpen', path, 'wx', 'x'), MISSING),
  inFiles(
    'under a write lease',
    async ({ hand }, path) => {
      await hand.fs('writeFileSync', path, 'x')
      await hand.do('writeLease', path)
    },
    MISSING,
  ),
  {
    ...inFiles('a file of somebody else', async ({ root, outside }, path) => {
      const aside = outside.text.replace('/outside/', '/own/').replace('text.txt', 'foreign')
      await root.fs('copyFileSync', outside.text, aside)
      await root.fs('chownSync', aside, 54_321, 54_321)
      await root.fs('renameSync', aside, path)
    }),
    byRoot: true,
    leftOut: { user: 'an ordinary user cannot open it either, and what it can open is taken for its own' },
  },
  {
    what: 'an attachment that takes turns with a link to a secret',
    race: true,
    plant: async (plan) => {
      const { hand, drop, token, outside } = plan
      const path = join(drop, 'files', `${token}.bin`)
      await hand.fs('mkdirSync', join(drop, 'files'), { recursive: true })
      await hand.fs('symlinkSync', outside.text, `${path}.part`)
      await hand.fs('writeFileSync', path, 'mine')
      await send(plan, [`${token}.bin`])
      await hand.do('swap', path, `${path}.part`, 300)
      await hand.fs('rmSync', `${path}.part`, { force: true })
    },
    outcome: harmless('it is sent when its own file was there, and held when the link was'),
  },
]

const AT_HOME: readonly Case[] = [
  {
    what: 'an attachment behind a link on the way',
    places: ['outbox'],
    plant: async (plan) => {
      await plan.hand.fs('symlinkSync', plan.outside.folder, join(plan.workspace, 'home', `${plan.token}-way`))
      return send(plan, [`${plan.token}-way/inside.txt`])
    },
    outcome: MISSING,
  },
  {
    what: 'an attachment that is a link at home to a secret',
    places: ['outbox'],
    plant: async (plan) => {
      await plan.hand.fs('symlinkSync', plan.outside.text, join(plan.workspace, 'home', `${plan.token}.txt`))
      return send(plan, [`${plan.token}.txt`])
    },
    outcome: REFUSED,
  },
  {
    what: 'an attachment behind a folder that nobody may enter',
    places: ['outbox'],
    plant: async (plan) => {
      const folder = join(plan.workspace, 'home', `${plan.token}-shut`)
      await plan.hand.fs('mkdirSync', folder)
      await plan.hand.fs('writeFileSync', join(folder, 'a.txt'), 'x')
      await plan.hand.fs('chmodSync', folder, 0)
      return send(plan, [`${plan.token}-shut/a.txt`])
    },
    outcome: ({ mode }) => (mode === 'system' ? harmless("root may read it, and it is its sender's") : MISSING),
  },
]

export const ATTACHED: readonly Case[] = [...CALLED, ...IN_FILES, ...AT_HOME]
