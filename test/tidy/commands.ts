/** What documents tell to type: the command must be there, and have the options that it is given. */
import type { Source } from './tree.ts'

/** `optionsOf`: a command's long options, undefined where there is no such command. */
export function untypable({ path, text }: Source, optionsOf: (command: string) => readonly string[] | undefined): string[] {
  return typed(text).flatMap(({ command, rest }) => {
    const options = optionsOf(command)
    if (!options) return [`${path}: there is no command penny ${command}`]
    const given = [...rest.matchAll(/(?:^|\s)--([a-z][a-z-]*)/g)].map(([, option = '']) => option)
    return given.filter((option) => !options.includes(option)).map((option) => `${path}: penny ${command} has no --${option}`)
  })
}

/** Calls of `penny` in fenced and in inline code, up to a comment or the next command. */
function typed(text: string): { command: string; rest: string }[] {
  const fences = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = '']) => code)
  const spans = [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return [...fences, ...spans].flatMap((code) =>
    [...code.matchAll(/(?:^|[;|&(]|\$\()[ \t]*penny +([a-z][a-z-]*)([^\n#;|&]*)/gm)].map(([, command = '', rest = '']) => ({ command, rest })),
  )
}
