import { type Command, expectWords } from './command.ts'
import { EXIT, refuse } from './exit.ts'

export const command: Command = {
  summary: 'the model gateway',
  usage: ['gateway'],
  examples: [],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, 'VERB')
    if (call.words[0] !== 'run') return refuse(EXIT.usage, 'penny gateway: there is no such verb', 'there is none for people yet', 'penny help')
    const { runGateway } = await import('./gateway-run.ts')
    return runGateway()
  },
}
