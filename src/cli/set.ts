import { nearest } from '../core/names.ts'
import type { Status } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { askForId, needDaemon, sameCall } from './client.ts'
import { type Command, expectWords } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { say, sayJson } from './print.ts'
import { rootOf, seatOf } from './root.ts'

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
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 2, 4, 'ID KEY=VALUE…')
    const [typed = '', ...changes] = call.words
    const values = readChanges(changes)
    const seat = seatOf(call)
    if (seat?.own)
      refuse(
        EXIT.notPermitted,
        'an agent changes what it sent by a reply',
        "the daemon's socket is the operators'",
        values['status'] === undefined
          ? `penny send postmaster -m ${shellWord(`please: penny set ${typed} ${changes.join(' ')}`)}`
          : `penny reply ${shellWord(typed)} --settles ${shellWord(values['status'])} -m '…'`,
      )
    const root = rootOf(call)
    const daemon = await needDaemon(root)
    const id = await askForId(daemon, typed, sameCall(call))
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

function readChanges(words: readonly string[]): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const word of words) {
    const [, key, value] = /^([a-z_]+)=(.*)$/s.exec(word) ?? []
    if (key === undefined || value === undefined || value === '')
      refuse(EXIT.usage, `${JSON.stringify(word)} is no change`, 'a change is written key=value', 'penny set ID priority=urgent')
    if (!KEYS.includes(key))
      refuse(EXIT.usage, `${key} cannot be set`, `keys are ${KEYS.join(' ')}`, `penny set ID ${nearest(key, KEYS) ?? 'priority'}=${shellWord(value)}`)
    if (key === 'status' && !(STATUSES as readonly string[]).includes(value))
      refuse(
        EXIT.notPermitted,
        `a task cannot be set to ${value}`,
        "sender and postmaster set open or cancelled; the rest is its holder's",
        `penny settle ID ${shellWord(value)}`,
      )
    values[key] = value
  }
  return values
}
