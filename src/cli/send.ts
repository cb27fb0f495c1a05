import { nearest } from '../core/names.ts'
import { sameOption } from './again.ts'
import { readBody } from './body.ts'
import { type Command, expectWords, listOption, textOption } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { rootOf, seatOf } from './root.ts'
import { checkRecipients, readRoster } from './roster.ts'
import { dispatchLetter, SENDING_OPTIONS } from './sending.ts'
import { checkPriority, checkTimes } from './terms.ts'

const KINDS = ['task', 'note']

export const command: Command = {
  summary: 'sends a message',
  usage: ['send TO[,TO…] [-s SUBJECT] [-p PRIORITY] [--due D] [-a FILE]… [--ref R] [--wait] [-m BODY]'],
  examples: [
    ["send legal -s 'Review the agreement' -p urgent < agreement.md", 'the body from standard input; prints the id'],
    ["send legal -s 'Sign, please' -a contract.pdf --due 2026-12-01 -m 'See the file'", 'with a file and a date'],
    ["echo 'How many?' | penny send cfo --wait", 'waits for the answer and prints it'],
    ["send @finance -m 'Closing on Friday' --kind note", 'a note to a group'],
  ],
  options: {
    ...SENDING_OPTIONS,
    priority: { type: 'string', short: 'p', value: 'PRIORITY', about: 'one of the scheme in policies/priorities.yaml' },
    due: { type: 'string', value: 'D', about: 'a date, or an RFC 3339 time' },
    'not-before': { type: 'string', value: 'T', about: 'deliver it then' },
    expires: { type: 'string', value: 'T', about: 'cancel it then if nobody has claimed it' },
    cc: { type: 'string', multiple: true, value: 'NAME', about: 'gets it as a note' },
    kind: { type: 'string', value: 'task|note', about: 'a note has no status and no deadline' },
    'in-reply-to': { type: 'string', value: 'ID', about: 'id or ref of the message answered' },
    settles: { type: 'string', value: 'STATUS', about: 'with --in-reply-to: the status that it gives that task' },
  },
  run: async (call) => {
    expectWords(call, 1, 100, 'TO')
    const to = names(call.words)
    const cc = names(listOption(call, 'cc'))
    const kind = textOption(call, 'kind')
    if (to.length === 0) refuse(EXIT.usage, 'penny send: to whom?', 'no recipient is named', 'penny agents')
    if (kind !== undefined && !KINDS.includes(kind))
      refuse(EXIT.usage, `--kind ${kind} cannot be sent`, 'it is task or note', sameOption(call, 'kind')(nearest(kind, KINDS) ?? 'task'))
    if (textOption(call, 'settles') !== undefined && textOption(call, 'in-reply-to') === undefined)
      refuse(EXIT.usage, '--settles needs --in-reply-to', 'it says what becomes of the message answered', 'penny reply ID --settles done')
    // Within a jail the organisation's files are not there: the daemon judges, and we wait for it.
    const roster = seatOf(call)?.workspace === '/ws' ? undefined : readRoster(rootOf(call))
    if (roster) checkRecipients(roster, [...to, ...cc])
    if (roster) await checkPriority(call, rootOf(call))
    await checkTimes(call, ['due', 'not-before', 'expires'])
    const keys = {
      to: to.length === 1 ? to[0] : to,
      cc,
      subject: textOption(call, 'subject'),
      kind,
      priority: textOption(call, 'priority'),
      due: textOption(call, 'due'),
      not_before: textOption(call, 'not-before'),
      expires: textOption(call, 'expires'),
      in_reply_to: textOption(call, 'in-reply-to'),
      settles: textOption(call, 'settles'),
    }
    return dispatchLetter(call, keys, await readBody(call), listOption(call, 'attach'))
  },
}

function names(words: readonly string[]): string[] {
  return words
    .flatMap((word) => word.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
