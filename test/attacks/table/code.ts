/** Front matter that asks to be run. */
import { join } from 'node:path'
import { type Case, delivered, type Plan, REFUSED } from '../suite/case.ts'

const LANGUAGES = [
  'js',
  'javascript',
  'JS',
  'Javascript',
  ' js',
  '\tjs',
  'json',
  'JSON',
  'coffee',
  'cson',
  'toml',
  'yaml',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  '-',
  ' ',
  ' #',
]

/** Changes the victim and ends whoever runs it, in the way each of them would. */
const programOf = ({ outside }: Plan): string =>
  `module.exports = (() => { require('node:fs').appendFileSync(${JSON.stringify(outside.victim)}, 'it ran'); process.exit(1) })()`

const inLanguage = (language: string, textOf: (plan: Plan) => string): Case => ({
  what: `front matter that begins with ${JSON.stringify(`---${language}`)}`,
  plant: (plan) => plan.hand.do('drop', join(plan.own, 'a'), plan.name(), textOf(plan)),
  outcome: REFUSED,
})

export const CODE: readonly Case[] = [
  ...LANGUAGES.map((language) => inLanguage(language, (plan) => `---${language}\n${programOf(plan)}\n---\nto: ${plan.recipient}\n`)),
  inLanguage('js after a mark of byte order', (plan) => `\ufeff---js\n${programOf(plan)}\n---\nx\n`),
  inLanguage('js and lines of Windows', (plan) => `---js\r\n${programOf(plan)}\r\n---\r\nx\r\n`),
  inLanguage('json that is JSON', ({ recipient }) => `---json\n{"to":"${recipient}","__proto__":{"polluted":true}}\n---\nx\n`),
  {
    what: 'code in the body',
    plant: (plan) =>
      plan.hand.do(
        'drop',
        join(plan.own, 'a'),
        plan.name(),
        plan.message('', `---js\n${programOf(plan)}\n---\n{{constructor.constructor('return process')()}}\n`),
      ),
    outcome: delivered('a body is not read'),
  },
  {
    what: 'code in a key of its own',
    plant: (plan) => plan.hand.do('drop', join(plan.own, 'a'), plan.name(), plan.message(`x-a: ${JSON.stringify(`\${${programOf(plan)}}`)}`)),
    outcome: delivered('it is text, and stays so'),
  },
]
