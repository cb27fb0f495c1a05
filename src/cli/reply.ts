import { SETTLES } from '../core/message.ts'
import { nearest } from '../core/names.ts'
import { textValue } from '../core/row.ts'
import { layoutOf } from '../mailbox/index.ts'
import { sameOption } from './again.ts'
import { readBody } from './body.ts'
import { type Call, type Command, expectWords, listOption, textOption } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { findMessage, readFound } from './find.ts'
import type { Values } from './head.ts'
import type { Place } from './mail.ts'
import { rootOf, seatOf } from './root.ts'
import { personOf } from './roster.ts'
import { dispatchLetter, SENDING_OPTIONS } from './sending.ts'

export const command: Command = {
  summary: 'answers a message; with --settles also closes it',
  usage: ['reply ID [--settles done|failed|blocked|no|open|cancelled] [-m BODY] [-a FILE]… [--agent A]'],
  examples: [
    ["reply 9c41 --settles done -m 'The agreement is fine.'", 'answers and closes in one act'],
    ['reply 9c41 < answer.md', 'answers; the task stays as it is'],
    ["reply 9c41 --settles open -m 'Please look again'", 'its sender reopens it'],
  ],
  options: { settles: { type: 'string', value: 'STATUS', about: 'the status that the answer gives the task' }, ...SENDING_OPTIONS },
  run: async (call) => {
    expectWords(call, 1, 1, 'ID')
    const settles = textOption(call, 'settles')
    if (settles !== undefined && !(SETTLES as readonly string[]).includes(settles)) {
      refuse(
        EXIT.usage,
        `--settles ${settles} is no such thing`,
        `it is one of ${SETTLES.join(' ')}`,
        sameOption(call, 'settles')(nearest(settles, SETTLES) ?? 'done'),
      )
    }
    const place = await findMessage(call, call.words[0] ?? '')
    const values = (await readFound(place))?.values ?? {}
    const answer = {
      to: partnerOf(call, place, values),
      kind: 'note',
      in_reply_to: place.id,
      settles,
      subject: subjectOf(textOption(call, 'subject') ?? textValue(values['subject'])),
    }
    const [body, attach] = [await readBody(call), listOption(call, 'attach')]
    // The subject is the other's: an answer says something, does something, or brings something.
    if (settles === undefined && attach.length === 0 && !/\S/.test(body.toString('utf8')))
      refuse(EXIT.badMessage, 'there is nothing to send', 'no body is given', sameOption(call, 'message')('the answer'))
    return dispatchLetter(call, answer, body, attach)
  },
}

/** The holder answers the sender, the sender its holder; nobody else has anything to answer. */
function partnerOf(call: Call, place: Place, values: Values): string {
  const from = textValue(values['from']) ?? ''
  const seat = seatOf(call)
  const me = seat?.name ?? personOf(rootOf(call), call.surroundings)
  if (place.folder === 'sent')
    return textValue(values['to']) ?? refuse(EXIT.usage, 'this message went to several', 'which of them is meant is not said', 'penny send TO --in-reply-to ID')
  if (from === me && place.holder !== me) return place.holder
  if (seat || place.holder === me) {
    if (from === 'pennypost' || from === 'unknown' || from === '')
      refuse(EXIT.notPermitted, `${place.id} cannot be answered`, 'it is from the daemon itself, or its sender is not known', `penny show ${place.id}`)
    return from
  }
  const workspace = layoutOf(rootOf(call)).workspace(place.holder)
  return refuse(
    EXIT.notPermitted,
    `${place.id} is not yours to answer`,
    `it lies in ${workspace} and is from ${from}`,
    `penny reply ${place.id} --agent ${place.holder}`,
  )
}

function subjectOf(subject: string | undefined): string | undefined {
  if (subject === undefined) return undefined
  const again = /^re:/i.test(subject) ? subject : `Re: ${subject}`
  return [...again].length > 200 ? `${[...again].slice(0, 199).join('')}…` : again
}
