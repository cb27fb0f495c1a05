import { isMessageId } from '../core/ids.ts'
import { nearest } from '../core/names.ts'
import type { Status } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { sameCall, sameOption } from './again.ts'
import { type Call, type Command, expectWords, listOption, textOption } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { findIn, findMessage } from './find.ts'
import { changeStatus, editFile } from './hold.ts'
import { say, sayJson } from './print.ts'
import { seatOf } from './root.ts'

const WORDS: readonly Status[] = ['done', 'failed', 'blocked', 'cancelled']

export const command: Command = {
  summary: 'ends a task, or says that it waits',
  usage: ['settle ID done|failed|blocked|cancelled [-m RESULT] [--on ID]… [--agent A]'],
  examples: [
    ["settle 9c41 done -m 'Signed, copy attached'", 'the sender sees status and result at once'],
    ['settle 9c41 blocked --on 77ab', 'goes back to new/ by itself when 77ab is settled'],
    ['settle 9c41 cancelled', 'withdrawn, by its sender or the postmaster'],
  ],
  options: {
    message: { type: 'string', short: 'm', value: 'RESULT', about: 'what came of it; becomes `result` in the message' },
    on: { type: 'string', multiple: true, value: 'ID', about: 'with blocked: what it waits for (an id, a ref or text)' },
    agent: { type: 'string', value: 'A', about: 'whose mailbox (for the operator)' },
  },
  run: async (call) => {
    expectWords(call, 2, 2, `ID ${WORDS.join('|')}`)
    const [typed = '', word = ''] = call.words
    const status = WORDS.find((one) => one === word)
    if (!status)
      refuse(EXIT.usage, `${JSON.stringify(word)} is no way to settle`, `it is one of ${WORDS.join(' ')}`, sameCall(call, word)(nearest(word, WORDS) ?? 'done'))
    const id = listOption(call, 'on').length > 0 ? await blockOn(call, typed, status) : await changeStatus(call, typed, status, textOption(call, 'message'))
    if (call.json) sayJson(call, { id, status })
    else say(call, `${id} ${status}`)
    return EXIT.ok
  },
}

/** What a task waits for is written into its file: the daemon takes it from there, running or not. */
async function blockOn(call: Call, typed: string, status: Status): Promise<string> {
  if (status !== 'blocked')
    refuse(EXIT.usage, '--on goes with blocked', `a task that is ${status} waits for nothing`, `penny settle ${shellWord(typed)} ${status}`)
  const place = await findMessage(call, typed)
  const result = textOption(call, 'message')
  const on = new Set<string>()
  for (const one of listOption(call, 'on')) on.add(await waitedFor(call, one))
  await editFile(place, 'blocked', { blocked_on: [...on], ...(result === undefined ? {} : { result }) })
  return place.id
}

/** An ending of an id becomes the id: the file means messages by nothing shorter. A ref and text stay as they are. */
async function waitedFor(call: Call, one: string): Promise<string> {
  if (!/^[0-9a-f-]{4,}$/i.test(one)) return one
  const seat = seatOf(call)
  // A holder may have been told the id of a message that it can't see; the daemon says if there is none.
  if (seat?.own && isMessageId(one)) return one
  const found = await findIn(call, one, seat?.own ? seat : undefined, sameOption(call, 'on', one))
  return found.id
}
