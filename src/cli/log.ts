import type { Entry } from '../core/event.ts'
import { isMessageId, isRef } from '../core/ids.ts'
import { showSafely } from '../core/text.ts'
import { sameCall } from './again.ts'
import { refuseSeveral } from './client.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { findMessage } from './find.ts'
import { entriesAbout } from './history.ts'
import { say, sayJson } from './print.ts'
import { rootOf } from './root.ts'
import { lastLineOf } from './run-log.ts'
import { sentenceOf } from './sentence.ts'

export const command: Command = {
  summary: 'everything that happened to a message',
  usage: ['log ID'],
  examples: [
    ['log 9c41', 'also of a held file, by the id in its name'],
    ['log 9c41 --json', ''],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, 'ID')
    const typed = call.words[0] ?? ''
    const root = rootOf(call)
    const id = await fullId(call, root, typed)
    const entries = await entriesAbout(root, [id])
    // A ref means a drop, whose copies have a life each.
    const copies = entries.flatMap((entry) => (entry.event === 'admitted' && entry.drop === id ? entry.copies.map((copy) => copy.id) : []))
    const all = copies.length === 0 ? entries : await entriesAbout(root, [id, ...copies])
    if (all.length === 0) refuse(EXIT.noSuchThing, `nothing is told of ${typed}`, 'the journal has no event with this id', 'penny events --since 1d')
    for (const [index, entry] of all.entries()) {
      if (call.json) sayJson(call, entry)
      else if (!isEcho(entry, all[index - 1])) say(call, `${entry.at}  ${sentenceOf(entry)}${printedIn(root, entry)}`)
    }
    return EXIT.ok
  },
}

/** Of a run that failed: where its log is, and the last line it printed. */
function printedIn(root: string, entry: Entry): string {
  if (entry.event !== 'run-ended' || entry.how === 'exit 0') return ''
  const shown = `workspaces/${entry.agent}/runs/${entry.id}.log`
  const line = lastLineOf(`${root}/${shown}`, entry.run)
  return `; ${shown}${line === undefined ? '' : ` ends: ${showSafely(line)}`}`
}

/** A `set` is followed by the version of the text that it made: said once is enough. */
function isEcho(entry: Entry, before: Entry | undefined): boolean {
  return entry.event === 'status' && entry.was === entry.status && before?.event === 'set' && before.id === entry.id
}

/** As every command finds it; else an ending that the journal knows (a message that is gone, a held drop). */
async function fullId(call: Call, root: string, typed: string): Promise<string> {
  if (isMessageId(typed)) return typed
  const found = new Set<string>()
  const ending = typed.toLowerCase()
  if (/^[0-9a-f-]{4,}$/.test(ending)) {
    for (const entry of await entriesAbout(root, [`${ending}"`])) {
      const ids =
        entry.event === 'admitted'
          ? entry.copies.map(({ id }) => id)
          : entry.event === 'held' || entry.event === 'repeat'
            ? [entry.drop]
            : 'id' in entry
              ? [entry.id]
              : []
      for (const id of ids) if (id.endsWith(ending)) found.add(id)
    }
  }
  if (isRef(typed) && found.size === 0) {
    for (const entry of await entriesAbout(root, [`"ref":${JSON.stringify(typed)}`]))
      if (entry.event === 'admitted' && entry.ref === typed) found.add(entry.drop)
  }
  const [first] = found
  if (first === undefined) return (await findMessage(call, typed)).id
  if (found.size > 1) refuseSeveral(typed, [...found], sameCall(call, typed))
  return first
}
