import { type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { changeStatus } from './hold.ts'
import { say, sayJson } from './print.ts'

export const command: Command = {
  summary: 'takes a message: new/ → cur/, in_progress',
  usage: ['claim ID [--agent A]'],
  examples: [
    ['claim 9c41', 'the message whose id ends in 9c41'],
    ['claim 9c41 --agent legal', 'the operator, in the name of legal'],
  ],
  options: { agent: { type: 'string', value: 'A', about: 'whose mailbox (for the operator)' } },
  run: async (call) => {
    expectWords(call, 1, 1, 'ID')
    const id = await changeStatus(call, call.words[0] ?? '', 'in_progress', undefined)
    if (call.json) sayJson(call, { id, status: 'in_progress' })
    else say(call, id)
    return EXIT.ok
  },
}
