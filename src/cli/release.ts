import { shellWord } from '../core/text.ts'
import { askWithin, type Daemon, needDaemon } from './client.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { heldFiles } from './held-files.ts'
import { fixOf, say, sayJson, tell } from './print.ts'
import { rootOf } from './root.ts'

/** As for a message that is sent: 2 s at most, but for attachments (10 s). Milliseconds. */
const ADMITTED_WITHIN_MS = 15_000

export const command: Command = {
  summary: 'tries again to admit a held file',
  usage: ['release FILE'],
  examples: [
    ['release unknown-recipient.019a0c9e-7b1d-7e55-8c7e-0d6f7e0c9c41.report', 'its name in spool/held/'],
    ['release 9c41.report', 'or a unique ending of that'],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, 'FILE')
    const root = rootOf(call)
    const daemon = await needDaemon(root)
    const name = choose(root, call.words[0] ?? '')
    return follow(call, daemon, name)
  },
}

/** Refuses (65) where it is held again; 75 where nobody has taken it yet. */
async function follow(call: Call, daemon: Daemon, name: string): Promise<number> {
  let dropped: string | undefined
  const note = (line: unknown): void => {
    dropped = (line as { file: string }).file
  }
  const answer = await askWithin(ADMITTED_WITHIN_MS, (until) => daemon.ask({ verb: 'release', file: name }, note, until))
  if (answer !== 'late') {
    if (call.json) sayJson(call, { file: name, state: 'admitted', ids: answer.ids })
    else say(call, `released ${name}: delivered as ${answer.ids.join(' ')}`)
    return EXIT.ok
  }
  if (dropped === undefined) refuse(EXIT.tryAgain, 'the daemon does not answer', `nothing came for ${ADMITTED_WITHIN_MS / 1000} s`, 'penny doctor')
  if (call.json) sayJson(call, { file: name, state: 'dropped', ids: [] })
  else say(call, `released ${name}`)
  tell(call, `it lies in ${dropped} and is not admitted yet   fix: ${fixOf(call.surroundings, 'penny status; penny alerts')}`)
  return EXIT.tryAgain
}

function choose(root: string, typed: string): string {
  const name = (typed.split('/').at(-1) ?? '').replace(/\.why\.md$/, '')
  const files = heldFiles(root).map((file) => file.name)
  const exact = files.filter((one) => one === name || one.split('.')[1] === name)
  const found = exact.length > 0 || name.length < 4 ? exact : files.filter((one) => one.endsWith(name) || one.split('.')[1]?.endsWith(name))
  const [one] = found
  if (one === undefined)
    refuse(
      EXIT.noSuchThing,
      `no held file is called ${typed}`,
      files.length === 0 ? 'nothing is held' : `held are ${files.slice(0, 10).join(' ')}`,
      'penny held',
    )
  if (found.length > 1) refuse(EXIT.usage, `${typed} means ${found.length} held files`, found.slice(0, 10).join(' '), `penny release ${shellWord(one)}`)
  return one
}
