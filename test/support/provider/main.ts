/**
 * npm run provider [-- --listen PORT | --socket PATH] [--options JSON] [--script FILE.mjs] [--log]: the provider as a program.
 * The first line on standard output is {"url", "port"}. Standard input takes control, one JSON object a line:
 * {"set":{…}}, {"limit":[MODEL,{…}]}, {"next":[…]}, {"addKey":[KEY,{…}]}, {"removeKey":[KEY]}, {"spend":[KEY,"tier"]}, {"seen":true}.
 */
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { type Control, type Options, type Script, type Seen, startProvider } from './provider.ts'

const { values } = parseArgs({
  options: { listen: { type: 'string' }, socket: { type: 'string' }, options: { type: 'string' }, script: { type: 'string' }, log: { type: 'boolean' } },
})
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const given = JSON.parse(values.options ?? '{}') as Options
const listen = values.socket === undefined ? { port: Number(values.listen ?? 0) } : { path: values.socket }
const provider = await startProvider({ ...given, listen, ...(values.log ? { report: (seen: Seen) => say({ seen: brief(seen) }) } : {}) })
if (values.script !== undefined) {
  const { default: script } = (await import(pathToFileURL(resolve(values.script)).href)) as { default: Script }
  provider.control.script(script)
}
say({ url: provider.url, port: provider.port })

createInterface({ input: process.stdin }).on('line', (line) => {
  try {
    obey(JSON.parse(line) as Record<string, unknown>)
  } catch (error) {
    say({ wrong: (error as Error).message })
  }
})

function obey(order: Readonly<Record<string, unknown>>): void {
  const { control } = provider
  for (const [verb, about] of Object.entries(order)) {
    const list = (Array.isArray(about) ? about : [about]) as never[]
    switch (verb) {
      case 'set':
      case 'next':
      case 'limit':
      case 'addKey':
      case 'removeKey':
      case 'spend':
        ;(control[verb] as (...words: never[]) => void)(...list)
        say({ done: verb satisfies keyof Control })
        break
      case 'seen':
        say({ seen: provider.seen.map(brief) })
        break
      default:
        throw new Error(`there is no ${verb}`)
    }
  }
}

/** Of the headers: whose session it is. */
function brief(seen: Seen): object {
  const rest = Object.entries(seen).filter(([key]) => !['headers', 'rawHeaders', 'body'].includes(key))
  return { ...Object.fromEntries(rest), session: seen.headers['x-claude-code-session-id'] }
}
