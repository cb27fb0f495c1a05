import { showSafely } from '../core/text.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { type HeldFile, heldFiles } from './held-files.ts'
import { toPaste } from './paste.ts'
import { paint, say, sayJson, tell } from './print.ts'
import { rootOf } from './root.ts'
import { ageSince } from './times.ts'

export const command: Command = {
  summary: 'files that could not be admitted, and why',
  usage: ['held'],
  examples: [
    ['held', ''],
    ['held --json', ''],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const files = heldFiles(root).map((file) => ({ ...file, fix: toPaste(call, root, file.fix) }))
    if (call.json) for (const file of files) sayJson(call, file)
    else if (files.length === 0) tell(call, 'nothing is held')
    else for (const file of files) print(call, file)
    return EXIT.ok
  },
}

function print(call: Call, file: HeldFile): void {
  say(call, `${paint(call, 'yellow', file.code)} ${showSafely(file.original)} from ${showSafely(file.from)}, ${ageSince(file.at, Date.now())} ago`)
  for (const sentence of file.why) say(call, `   ${showSafely(sentence)}`)
  say(call, `   file: ${showSafely(file.path)}`)
  say(call, `   fix: ${showSafely(file.fix)}`)
}
