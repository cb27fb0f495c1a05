import { nearest } from '../core/names.ts'
import { textValue } from '../core/row.ts'
import { isSettled, isStatus, type Status } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { sameCall } from './again.ts'
import { askForId, findOwnDaemon } from './client.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT, refuse, UP } from './exit.ts'
import { findMessage, readFound } from './find.ts'
import { say, sayJson, statusOrUp, tell } from './print.ts'
import { rootOf, type Seat, seatOf } from './root.ts'
import { personOf } from './roster.ts'
import { sendLetter } from './sending.ts'

const KEYS = ['priority', 'due', 'status']
/** What sender and postmaster may make of a task (contract, page 3). */
const STATUSES: readonly Status[] = ['open', 'cancelled']

export const command: Command = {
  summary: 'changes priority, date or status, for sender or postmaster',
  usage: ['set ID priority=… due=… status=open|cancelled'],
  examples: [
    ['set 9c41 priority=urgent', ''],
    ['set 9c41 due=2026-12-01', ''],
    ['set 9c41 status=open', 'reopens a settled task'],
    ['set 9c41 priority=high', "in a workspace: sent to its holder as the sender's word"],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 2, 4, 'ID KEY=VALUE…')
    const [typed = '', ...changes] = call.words
    const values = readChanges(typed, changes)
    const seat = seatOf(call)
    const daemon = seat?.own ? 'not ours' : await findOwnDaemon(rootOf(call))
    if (daemon === 'not ours') return askAsSender(call, seat ?? personSeat(call), typed, values, changes)
    if (!daemon) return refuse(EXIT.noDaemon, 'the daemon is not running', 'it alone changes what somebody else holds', UP)
    const id = await askForId(daemon, typed, sameCall(call, typed))
    const status = STATUSES.find((one) => one === values['status'])
    await daemon.ask({
      verb: 'set',
      id,
      ...(values['priority'] === undefined ? {} : { priority: values['priority'] }),
      ...(values['due'] === undefined ? {} : { due: values['due'] }),
      ...(status === undefined ? {} : { status }),
    })
    if (call.json) sayJson(call, { id, ...values })
    else say(call, `${id} ${changes.join(' ')}`)
    return EXIT.ok
  },
}

/** Outside of workspaces: the person who calls. */
function personSeat(call: Call): Seat {
  const root = rootOf(call)
  const name = personOf(root, call.surroundings)
  return { name, workspace: layoutOf(root).workspace(name), own: false }
}

/** Who may not speak to the daemon sends it: the sender's own `settles: open` carries what is to be corrected (docs/decisions/0010). */
async function askAsSender(call: Call, seat: Seat, typed: string, values: Changes, changes: readonly string[]): Promise<number> {
  const place = await findMessage(call, typed, seat)
  const head = (await readFound(place))?.values ?? {}
  if (place.folder !== 'sent')
    refuse(
      EXIT.notPermitted,
      `${place.id} is not yours to correct`,
      "its sender or the postmaster changes priority and date; the status is its holder's",
      `penny reply ${place.id} -m ${shellWord(`Please: ${changes.join(' ')}`)}`,
    )
  const { status = 'open', priority, due } = values
  const was = head['status']
  if (values['status'] === undefined && isStatus(was) && isSettled(was))
    refuse(
      EXIT.notPermitted,
      `${place.id} is settled; reopen it first`,
      `it is ${was}`,
      `penny set ${place.id} status=open ${changes.map(shellWord).join(' ')}`,
    )
  // Which of several holds this copy is not said in it: they all are told, and it is changed in this one.
  const to = [head['to']].flat().filter((name): name is string => typeof name === 'string')
  const subject = `${changes.join(' ')}: ${textValue(head['subject']) ?? ''}`
  const letter = {
    to: to.length === 1 ? to[0] : to,
    kind: 'note',
    in_reply_to: place.id,
    settles: status,
    priority,
    due,
    subject: [...subject].slice(0, 200).join(''),
  }
  const { fate } = await sendLetter(call, letter, Buffer.from(`The sender sets ${changes.join(' ')} in ${place.id}.\n`), [])
  if (call.json) sayJson(call, { id: place.id, ...values })
  else say(call, `${place.id} ${changes.join(' ')}`)
  if (fate.kind === 'dropped') tell(call, `sent, and not admitted yet   fix: ${statusOrUp(call.surroundings)}`)
  return fate.kind === 'dropped' ? EXIT.tryAgain : EXIT.ok
}

type Changes = Readonly<Record<string, string>>

function readChanges(typed: string, words: readonly string[]): Changes {
  const values: Record<string, string> = {}
  for (const word of words) {
    const [, key, value] = /^([a-z_]+)=(.*)$/s.exec(word) ?? []
    if (key === undefined || value === undefined || value === '')
      refuse(EXIT.usage, `${JSON.stringify(word)} is no change`, 'a change is written key=value', `penny set ${shellWord(typed)} priority=high`)
    if (!KEYS.includes(key))
      refuse(
        EXIT.usage,
        `${key} cannot be set`,
        `keys are ${KEYS.join(' ')}`,
        `penny set ${shellWord(typed)} ${nearest(key, KEYS) ?? 'priority'}=${shellWord(value)}`,
      )
    if (key === 'status' && !(STATUSES as readonly string[]).includes(value))
      refuse(
        EXIT.notPermitted,
        `a task cannot be set to ${value}`,
        "sender and postmaster set open or cancelled; the rest is its holder's",
        `penny settle ${shellWord(typed)} ${shellWord(value)}`,
      )
    values[key] = value
  }
  return values
}
