/** The command as it was typed, to be pasted again: as it stands, or with the one word changed that was wrong. */
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
  const [, ...words] = tokensOf(call).filter(({ kind }) => kind === 'positional')
  const found = words.find(({ index }) => argsOf(call)[index] === word)
  return put(call, found && { at: found.index, before: '' })
}

/** With another value for this option; of one that is given several times the last counts, or the one that says `value`. */
export function sameOption(call: Call, name: string, value?: string): (instead: string) => string {
  const found = tokensOf(call).findLast((token) => token.kind === 'option' && token.name === name && (value === undefined || token.value === value))
  if (found?.kind !== 'option' || found.value === undefined) return put(call, undefined)
  if (!found.inlineValue) return put(call, { at: found.index + 1, before: '' })
  const word = argsOf(call)[found.index] ?? ''
  return put(call, { at: found.index, before: word.slice(0, word.length - found.value.length) })
}

function put(call: Call, spot: Spot | undefined): (instead: string) => string {
  return (instead) => typedAgain({ typed: call.surroundings.typed.map((word, i) => (i - 1 === spot?.at ? `${spot.before}${instead}` : word)) })
}

function argsOf({ surroundings }: Call): string[] {
  return surroundings.typed.slice(1)
}

/** Only what was understood once comes here, so that nothing is refused any more. */
function tokensOf(call: Call) {
  const options = { ...parserOptions(call.options), root: { type: 'string' as const } }
  return parseArgs({ args: argsOf(call), options, allowPositionals: true, strict: false, tokens: true }).tokens
}
