import { shellWord, showBodySafely } from '../core/text.ts'
import { sameCall } from './again.ts'
import { findKept } from './checkpoints.ts'
import { askForId, type Daemon, findOwnDaemon } from './client.ts'
import { type Call, type Command, expectWords, flag } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { findMessage, readFound } from './find.ts'
import { sealedOf } from './history.ts'
import { sayJson } from './print.ts'
import { rootOf, seatOf } from './root.ts'
import { viewMessage } from './view.ts'

export const command: Command = {
  summary: 'shows one message',
  usage: ['show ID [--original]'],
  examples: [
    ['show 9c41', 'as it is now, with status, result and progress'],
    ['show 9c41 --original > before.md', 'as it was delivered, byte for byte'],
  ],
  options: {
    original: { type: 'boolean', about: 'the text that was sealed at admission' },
    agent: { type: 'string', value: 'A', about: 'look in the mailbox of A' },
  },
  run: async (call) => {
    expectWords(call, 1, 1, 'ID')
    const typed = call.words[0] ?? ''
    if (flag(call, 'original')) return showOriginal(call, typed)
    const place = await findMessage(call, typed)
    const shown =
      (await readFound(place)) ?? refuse(EXIT.tryAgain, `${place.id} has just been moved`, 'its holder or the daemon was faster', `penny show ${place.id}`)
    viewMessage(call, shown, { holder: place.holder, folder: place.folder, path: place.path, checkpoints: findKept()(place) })
    return EXIT.ok
  },
}

async function showOriginal(call: Call, typed: string): Promise<number> {
  const seat = seatOf(call)
  if (seat?.own) refuse(EXIT.notPermitted, 'the sealed original is not kept here', "it is in the daemon's own folder", `penny show ${shellWord(typed)}`)
  const root = rootOf(call)
  const daemon = await findOwnDaemon(root)
  const { id, text } = typeof daemon === 'object' ? await originalFrom(call, daemon, typed) : await originalOnDisk(call, root, typed)
  if (call.json) sayJson(call, { id, text })
  // Byte for byte into a file or a pipe; a terminal is never given control characters.
  else call.surroundings.out(call.surroundings.stdoutIsTerminal ? showBodySafely(text) : text)
  return EXIT.ok
}

type Original = Readonly<{ id: string; text: string }>

async function originalFrom(call: Call, daemon: Daemon, typed: string): Promise<Original> {
  const id = await askForId(daemon, typed, sameCall(call, typed))
  return { id, text: (await daemon.ask({ verb: 'original', id })).text }
}

async function originalOnDisk(call: Call, root: string, typed: string): Promise<Original> {
  const { id } = await findMessage(call, typed)
  const intent = sealedOf(root, id)
  const copy = intent?.act === 'admit' ? intent.copies.find((one) => one.id === id) : undefined
  if (intent?.act !== 'admit' || !copy)
    refuse(EXIT.noSuchThing, `there is no sealed original of ${id}`, 'originals are kept for `retention` of policies/org.yaml', `penny show ${id}`)
  const { copyText } = await import('../deliver/index.ts')
  return { id, text: copyText(intent, copy) }
}
