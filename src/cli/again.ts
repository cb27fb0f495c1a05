/** The command as it was typed, to be pasted again: as it stands, or with the one thing changed that was wrong. */
import { parseArgs } from 'node:util'
import { shellWord } from '../core/text.ts'
import { type Call, parserOptions, type Surroundings } from './command.ts'

/** A place on the command line: which of its words, and what of that word is not what was meant. */
type Spot = Readonly<{ at: number; before: string }>

export function typedAgain({ typed }: Pick<Surroundings, 'typed'>): string {
  return `penny ${typed.slice(1).map(shellWord).join(' ')}`
}

/** With another in the place of this word, which is no option's value. */
export function sameCall(call: Call, word: string): (instead: string) => string {
  const [, ...words] = wordsOf(call)
  const found = words.find(({ index }) => argsOf(call)[index] === word)
  // As it stands it would be refused again.
  return (instead) => (found ? put(call, { at: found.index, before: '' }, instead) : helpOf(call))
}

/** With another value for this option, typed or not; of one that is given several times the last counts, or the one that says `value`. */
export function sameOption(call: Call, name: string, value?: string): (instead: string) => string {
  const found = tokensOf(call).findLast((token) => token.kind === 'option' && token.name === name && (value === undefined || token.value === value))
  return (instead) => {
    if (found?.kind !== 'option' || found.value === undefined) return value === undefined ? withOptions(call, { [name]: instead }) : helpOf(call)
    if (!found.inlineValue) return put(call, { at: found.index + 1, before: '' }, instead)
    const word = argsOf(call)[found.index] ?? ''
    return put(call, { at: found.index, before: word.slice(0, word.length - found.value.length) }, instead)
  }
}

/** With these options too, and without the flag `less`. They follow the command's word: at the end they could stand behind `--`. */
export function withOptions(call: Call, more: Readonly<Record<string, string | undefined>>, less?: string): string {
  const [name] = wordsOf(call)
  const left = new Set(tokensOf(call).flatMap((token) => (token.kind === 'option' && token.name === less ? [token.index] : [])))
  const added = Object.entries(more).flatMap(([option, value]) => {
    if (value === undefined) return []
    return value.startsWith('-') ? [`--${option}=${value}`] : [`--${option}`, value]
  })
  const words = argsOf(call).flatMap((word, at) => (left.has(at) ? [] : at === name?.index ? [word, ...added] : [word]))
  return typedAgain({ typed: ['penny', ...words] })
}

function put(call: Call, spot: Spot, instead: string): string {
  return typedAgain({ typed: call.surroundings.typed.map((word, i) => (i - 1 === spot.at ? `${spot.before}${instead}` : word)) })
}

function helpOf({ name }: Call): string {
  return `penny help ${name}`
}

function argsOf({ surroundings }: Call): string[] {
  return surroundings.typed.slice(1)
}

/** The first is the command's. */
function wordsOf(call: Call) {
  return tokensOf(call).filter(({ kind }) => kind === 'positional')
}

/** Only what was understood once comes here, so that nothing is refused any more. */
function tokensOf(call: Call) {
  const options = { ...parserOptions(call.options), root: { type: 'string' as const } }
  return parseArgs({ args: argsOf(call), options, allowPositionals: true, strict: false, tokens: true }).tokens
}
