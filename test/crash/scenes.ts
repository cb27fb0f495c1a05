/** What a victim is doing when it dies, and what must be true once another daemon has taken over. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { drop, type Found, filesIn, type House, key, mailOf, pause, report, until } from './house.ts'

export type Scene = Readonly<{
  /** With a daemon alive that will not die yet. */
  before: (house: House) => Promise<void>
  /** Begins when the disk begins to count. */
  act: (house: House) => Promise<void>
  /** Whether everything that follows from it has happened. */
  isOver: (house: House) => Promise<boolean>
  /** Sentences of what is wrong. */
  faults: (root: string, house: House) => Promise<string[]>
}>

const settled = (root: string): Found[] => mailOf(root).filter(({ folder }) => folder.startsWith('done'))
const bearing = (root: string, token: string): Found[] => mailOf(root).filter(({ text }) => text.includes(token) && key(text, 'kind') !== 'bounce')
const nothingWaits = (root: string): boolean =>
  ['spool', 'spool/legal', 'workspaces/legal/outbox', 'workspaces/cfo/outbox'].every((folder) =>
    filesIn(`${root}/${folder}`).every((name) => !name.endsWith('.md')),
  )

async function task(house: House, to: string, token: string): Promise<Found> {
  drop(house.root, 'spool', `${token}.md`, `---\nto: ${to}\nref: ${token}\nsubject: ${token}\n---\nbody of ${token}\n`)
  const found = await until(() => mailOf(house.root).find(({ holder, text }) => holder === to && text.includes(`body of ${token}`)))
  if (!found) throw new Error(`${token} was not delivered`)
  return found
}

/** Counts what should be there once: `0 times …`, `2 times …`. */
function exactly(root: string, token: string, holders: readonly string[]): string[] {
  const found = bearing(root, token)
  const faults = holders.flatMap((holder) => {
    const count = found.filter((one) => one.holder === holder).length
    return count === 1 ? [] : [`${token} is ${count} times at ${holder}`]
  })
  return found.length === holders.length ? faults : [...faults, `${token} is there ${found.length} times`]
}

const ATTACHED = 'contract\n'.repeat(500)

export const SCENES: Readonly<Record<string, Scene>> = {
  delivery: {
    before: async (house) => {
      await task(house, 'legal', 'ASKED')
      await pause(30)
    },
    act: async ({ root }) => {
      writeFileSync(`${root}/spool/files/contract.txt`, ATTACHED, { mode: 0o644 })
      drop(root, 'spool', 'plain.md', '---\nto: cfo\n---\nPLAIN\r\nno end')
      drop(root, 'spool', 'two.md', '---\nto: [legal, cfo]\n---\nTWO\n')
      drop(root, 'spool', 'attached.md', '---\nto: legal\nattach: contract.txt\n---\nATTACHED\n')
      drop(root, 'workspaces/legal/outbox', 'bad.md', '---\nto: cfo\nprioirty: high\n---\nBAD\n')
      drop(root, 'spool', 'once.md', '---\nto: cfo\nref: once\n---\nONCE\n')
      drop(root, 'spool', 'again.md', '---\nto: cfo\nref: once\n---\nONCE\n')
      drop(root, 'workspaces/legal/outbox', 'reply.md', '---\nto: operator\nin_reply_to: ASKED\nsubject: answer\nsettles: done\n---\nhere it is\n\nREPLY\n')
    },
    isOver: async (house) =>
      nothingWaits(house.root) && settled(house.root).some(({ text }) => text.includes('body of ASKED')) && (await report(house)).accounting.bounces === 1,
    faults: async (root, house) => {
      const { accounting, held } = await report(house)
      const heldFiles = filesIn(`${root}/spool/held`)
      const attached = bearing(root, 'ATTACHED\n')[0]
      const contract = attached && readOr(`${root}/workspaces/legal/attachments/${attached.id}/contract.txt`)
      const expected = { drops: 8, admitted: 6, held: 1, repeats: 1, bounces: 1 }
      return [
        ...exactly(root, 'PLAIN\r\nno end', ['cfo']),
        ...exactly(root, 'TWO\n', ['cfo', 'legal']),
        ...exactly(root, 'ATTACHED\n', ['legal']),
        ...exactly(root, 'ONCE\n', ['cfo']),
        ...exactly(root, 'REPLY\n', ['operator']),
        ...(contract === ATTACHED ? [] : ['the attachment is not whole']),
        ...(filesIn(`${root}/spool/files`).length === 0 ? [] : ['the attachment was left in files/']),
        ...(heldFiles.length === 2 && heldFiles[1] === `${heldFiles[0]}.why.md` && held === 1 ? [] : [`held: ${heldFiles.join(' ')}`]),
        ...Object.entries(expected).flatMap(([name, count]) =>
          accounting[name as keyof typeof expected] === count ? [] : [`accounting: ${name} is ${accounting[name as keyof typeof expected]}, not ${count}`],
        ),
      ]
    },
  },
  claim: {
    before: async (house) => void (await task(house, 'legal', 'CLAIMED')),
    act: async ({ root }) => {
      const [mail] = bearing(root, 'body of CLAIMED')
      renameSync(mail?.path ?? '', `${root}/workspaces/legal/cur/${mail?.file}`)
    },
    isOver: async ({ root }) => inStep(root, 'CLAIMED', 'cur', 'in_progress'),
    faults: async (root) => [...exactly(root, 'body of CLAIMED', ['legal']), ...(inStep(root, 'CLAIMED', 'cur', 'in_progress') ? [] : ['it is not claimed'])],
  },
  settle: {
    before: async (house) => void (await task(house, 'legal', 'FINISHED')),
    act: async ({ root }) => {
      const [mail] = bearing(root, 'body of FINISHED')
      if (!mail) throw new Error('no mail')
      const edited = `${root}/workspaces/legal/new/.edit`
      writeFileSync(edited, mail.text.replace('status: open', 'status: done\nresult: signed'), { mode: 0o640 })
      renameSync(edited, mail.path)
    },
    isOver: async ({ root }) => inStep(root, 'FINISHED', 'done', 'done'),
    faults: async (root) => [
      ...exactly(root, 'body of FINISHED', ['legal']),
      ...(inStep(root, 'FINISHED', 'done', 'done') && bearing(root, 'body of FINISHED')[0]?.text.includes('result: signed')
        ? []
        : ['it is not done with its result']),
    ],
  },
  apply: {
    before: async (house) => void (await task(house, 'legal', 'WITHDRAWN')),
    act: async (house) => {
      const id = bearing(house.root, 'body of WITHDRAWN')[0]?.id ?? ''
      await house.daemon.verbs.change({ verb: 'change', id, to: 'cancelled' }, () => undefined, new AbortController().signal)
      writeFileSync(`${house.root}/returned`, '')
    },
    isOver: async ({ root }) => filesIn(root).includes('returned') && inStep(root, 'WITHDRAWN', 'done', 'cancelled'),
    faults: async (root) => {
      const withdrawn = inStep(root, 'WITHDRAWN', 'done', 'cancelled')
      const untouched = !filesIn(root).includes('returned') && inStep(root, 'WITHDRAWN', 'new', 'open')
      return [
        ...exactly(root, 'body of WITHDRAWN', ['legal']),
        ...(withdrawn || untouched ? [] : [`it is neither withdrawn nor untouched: ${bearing(root, 'body of WITHDRAWN')[0]?.path}`]),
      ]
    },
  },
  run: {
    before: async () => pause(30),
    act: async ({ root }) => drop(root, 'spool', 'work.md', '---\nto: clerk\nsubject: WORK\n---\nbody of WORK\n'),
    isOver: async ({ root }) => inStep(root, 'WORK', 'done', 'done') && repliesTo(root).length > 0,
    faults: async (root) => [
      ...exactly(root, 'body of WORK', ['clerk']),
      ...(inStep(root, 'WORK', 'done', 'done') ? [] : ['it is not done']),
      ...(repliesTo(root).length === 1 ? [] : [`${repliesTo(root).length} replies`]),
    ],
  },
}

function repliesTo(root: string): Found[] {
  return mailOf(root).filter(({ holder, text }) => holder === 'operator' && key(text, 'from') === 'clerk')
}

function inStep(root: string, token: string, folder: string, status: string): boolean {
  const found = bearing(root, `body of ${token}`)
  return found.length === 1 && found.every((mail) => mail.folder === folder && key(mail.text, 'status') === status)
}

function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

/** What nobody may ever see, not even while no daemon runs: half a message, or one whose attachments are not there yet. */
export function halfVisible(root: string): string[] {
  return mailOf(root).flatMap(({ path, text, id, holder }) => {
    if (!/^---\n[\s\S]*\n---\n[\s\S]+/.test(text) || id === '') return [`half a message: ${path}`]
    if (!text.includes('ATTACHED\n')) return []
    return readOr(`${root}/workspaces/${holder}/attachments/${id}/contract.txt`) === ATTACHED ? [] : [`visible before its attachment: ${path}`]
  })
}
