import { needDaemon } from './client.ts'
import { type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { say, sayJson } from './print.ts'
import { rootOf } from './root.ts'
import { needAgent } from './roster.ts'

export const command: Command = {
  summary: 'lets an agent run again',
  usage: ['resume NAME|all'],
  examples: [
    ['resume legal', ''],
    ['resume all', ''],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, 'NAME|all')
    const root = rootOf(call)
    const name = needAgent(root, call.words[0] ?? '', call.name)
    const { names } = await (await needDaemon(root)).ask({ verb: 'resume', name })
    if (call.json) sayJson(call, { name, paused: names })
    else say(call, `${name} may run again${names.length === 0 ? '' : `; still paused: ${names.join(' ')}`}`)
    return EXIT.ok
  },
}
