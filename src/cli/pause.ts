import { needDaemon } from './client.ts'
import { type Command, expectWords, flag } from './command.ts'
import { EXIT } from './exit.ts'
import { say, sayJson } from './print.ts'
import { rootOf } from './root.ts'
import { needAgent } from './roster.ts'

export const command: Command = {
  summary: 'starts no new runs of an agent',
  usage: ['pause NAME|all [--now]'],
  examples: [
    ['pause legal', 'mail is still delivered; running runs go on'],
    ['pause all --now', 'ends what runs, too'],
  ],
  options: { now: { type: 'boolean', about: 'end running runs, too' } },
  run: async (call) => {
    expectWords(call, 1, 1, 'NAME|all')
    const root = rootOf(call)
    const name = needAgent(root, call.words[0] ?? '', call.name)
    const { names } = await (await needDaemon(root)).ask({ verb: 'pause', name, now: flag(call, 'now') })
    if (call.json) sayJson(call, { name, paused: names })
    else say(call, `paused: ${names.join(' ')}`)
    return EXIT.ok
  },
}
