import { nearest } from '../core/names.ts'
import { STATUSES } from '../core/status.ts'
import { type Command, expectWords, JSON_OPTION, type Option } from './command.ts'
import { EXIT, refuse } from './exit.ts'
import { sayJson } from './print.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Words = readonly Readonly<{ name: string; summary: string; options: Readonly<Record<string, Option>> }>[]

export const command: Command = {
  summary: 'prints what a shell needs to complete penny',
  usage: ['completion bash|zsh|fish'],
  examples: [
    ['completion bash > ~/.local/share/bash-completion/completions/penny', ''],
    ['completion zsh > "$fpath[1]/_penny"', ''],
    ['completion fish > ~/.config/fish/completions/penny.fish', ''],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, 1, SHELLS.join('|'))
    const word = call.words[0] ?? ''
    const shell = SHELLS.find((one) => one === word)
    if (!shell)
      refuse(
        EXIT.usage,
        `there is no completion for ${JSON.stringify(word)}`,
        `it is one of ${SHELLS.join(' ')}`,
        `penny completion ${nearest(word, SHELLS) ?? 'bash'}`,
      )
    const words = await Promise.all(Object.entries(call.commands).map(async ([name, load]) => ({ name, ...(await load()).command })))
    if (call.json) sayJson(call, { shell, script: SCRIPTS[shell](words) })
    else call.surroundings.out(SCRIPTS[shell](words))
    return EXIT.ok
  },
}

/** The words that may follow a command, besides options. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  settle: 'done failed blocked cancelled',
  alerts: 'done all',
  gateway: 'status key test',
  completion: SHELLS.join(' '),
  tasks: `${STATUSES.map((status) => `status:${status}`).join(' ')} priority: to: from: overdue older: thread:`,
  set: 'priority= due= status=open status=cancelled',
}

function wordsAfter(name: string, words: Words): string {
  return name === 'help' ? words.map((one) => one.name).join(' ') : (ARGUMENTS[name] ?? '')
}

function optionsOf(options: Readonly<Record<string, Option>>): string[] {
  return Object.keys({ ...options, json: JSON_OPTION, root: JSON_OPTION, help: JSON_OPTION }).map((key) => `--${key}`)
}

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (words: Words) => string>> = {
  bash: (words) => `# penny completion for bash
_penny() {
  local word command= i before
  # Words with : and = are one word to penny, several to readline.
  before=\${COMP_LINE:0:COMP_POINT} word=\${before##*[[:space:]]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      --root) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $command in
    '') COMPREPLY=($(compgen -W '${words.map(({ name }) => name).join(' ')} --root --help --version' -- "$word")) ;;
${words.map(({ name, options }) => `    ${name}) COMPREPLY=($(compgen -W '${[...optionsOf(options), wordsAfter(name, words)].join(' ').trim()}' -- "$word")) ;;`).join('\n')}
  esac
  [[ \${COMPREPLY[0]} == *[:=] && \${#COMPREPLY[@]} == 1 ]] && compopt -o nospace
  # What readline already took as words of their own is not put there again.
  [[ $word == *[:=]* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${word%"\${word##*[:=]}"}"}")
}
complete -o default -F _penny penny
`,
  zsh: (words) => `#compdef penny
# penny completion for zsh
_penny() {
  local -a commands
  commands=(
${words.map(({ name, summary }) => `    ${single(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case $words[2] in
${words.map(({ name, options }) => `    ${name}) compadd -- ${[...optionsOf(options), wordsAfter(name, words)].join(' ').trim()}; _files ;;`).join('\n')}
  esac
}
# Loaded by its name in $fpath, this file is the function's first call itself.
if [[ $funcstack[1] == _penny ]]; then _penny "$@"; else compdef _penny penny; fi
`,
  fish: (words) => `# penny completion for fish
complete -c penny -l root -r -d 'the organisation'
${words
  .flatMap(({ name, summary, options }) => [
    `complete -c penny -n __fish_use_subcommand -a ${name} -d ${single(summary)}`,
    ...Object.entries({ ...options, json: JSON_OPTION }).map(
      ([key, { short, about, type }]) =>
        `complete -c penny -n '__fish_seen_subcommand_from ${name}' -l ${key}${short === undefined ? '' : ` -s ${short}`}${type === 'string' ? ' -r' : ''} -d ${single(about)}`,
    ),
    ...(wordsAfter(name, words) === '' ? [] : [`complete -c penny -n '__fish_seen_subcommand_from ${name}' -a ${single(wordsAfter(name, words))}`]),
  ])
  .join('\n')}
`,
}

function single(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
