import { type Call, type Command, expectWords, findCommand, JSON_OPTION, type Option } from './command.ts'
import { EXIT } from './exit.ts'
import { paint, say, sayJson } from './print.ts'

export const command: Command = {
  summary: 'this page, or the page of a command',
  usage: ['help [COMMAND]'],
  examples: [['help send', '']],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 1, '[COMMAND]')
    const [name] = call.words
    if (name === undefined) await overview(call)
    else await page(call, name)
    return EXIT.ok
  },
}

async function overview(call: Call): Promise<void> {
  if (call.json) {
    for (const [name, load] of Object.entries(call.commands)) sayJson(call, { command: name, ...described((await load()).command) })
    return
  }
  say(call, 'penny: mail for an organisation of agents. A message is a file, and the message is the task.\n')
  say(call, paint(call, 'bold', 'Examples'))
  printExamples(call, [
    ['penny init acme && cd acme && penny up --detach', 'make an organisation, start it'],
    ["send legal -s 'Review the agreement' -p urgent < agreement.md", 'send a task'],
    ['tasks', 'what is not settled, most urgent first'],
    ['status', 'is anything wedged, what needs me'],
  ])
  say(call, `\n${paint(call, 'bold', 'Commands')}`)
  for (const [name, load] of Object.entries(call.commands)) say(call, `  ${name.padEnd(11)} ${(await load()).command.summary}`)
  say(call, `\n${paint(call, 'bold', 'Everywhere')}`)
  say(call, '  --root DIR  the organisation; else $PENNY_ROOT, the nearest folder at or above this one with policies/org.yaml')
  say(call, '              or .penny/, /var/lib/pennypost')
  say(call, '  --json      one JSON object a line       --help  the page of a command       --version')
  say(call, '  Names in examples are those of the organisation that penny init DIR --example thirty makes.')
  say(call, '  IDs may be shortened to any unique ending of at least 4 characters.')
  say(call, '\nExit: 0 ok, 1 a negative answer, 64 usage, 65 bad message, 66 no such thing, 69 daemon not running, 70 our bug,')
  say(call, '      73/74 cannot write, 75 try again, 77 not permitted, 78 bad configuration')
}

async function page(call: Call, name: string): Promise<void> {
  const { command: about } = await findCommand(call.commands, name)()
  if (call.json) return sayJson(call, { command: name, ...described(about) })
  say(call, `penny ${name}: ${about.summary}\n`)
  say(call, paint(call, 'bold', 'Examples'))
  printExamples(call, about.examples)
  say(call, `\n${paint(call, 'bold', 'Usage')}`)
  for (const line of about.usage) say(call, `  penny ${line}`)
  say(call, `\n${paint(call, 'bold', 'Options')}`)
  for (const [key, option] of Object.entries({ ...about.options, json: JSON_OPTION })) say(call, `  ${spelling(key, option).padEnd(26)} ${option.about}`)
}

function described({ summary, usage, examples, options }: Command): object {
  return { summary, usage, examples, options: { ...options, json: JSON_OPTION } }
}

function printExamples(call: Call, examples: Command['examples']): void {
  for (const [line, does] of examples)
    say(call, `  ${call.commands[line.split(' ')[0] ?? ''] ? 'penny ' : ''}${line}${does === '' ? '' : `\n      ${paint(call, 'dim', does)}`}`)
}

function spelling(key: string, { short, value, multiple }: Option): string {
  return `${short === undefined ? '   ' : `-${short},`} --${key}${value === undefined ? '' : ` ${value}`}${multiple ? '…' : ''}`
}
