/** The printed scripts in the shells they are for. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { penny } from './called.ts'

/** Where the script lies, or undefined with the reason told where there is no such shell. */
async function script(t: Test, shell: string, file: string): Promise<string | undefined> {
  if (spawnSync(shell, ['-c', 'exit 0']).status !== 0) {
    t.pass(shell, { skip: `${shell} is not installed` })
    return undefined
  }
  const path = `${t.testdir()}/${file}`
  writeFileSync(path, (await penny(['completion', shell])).out)
  const read = spawnSync(shell, ['-n', path], { encoding: 'utf8' })
  t.same([read.status, read.stderr], [0, ''], `${shell} can read the script`)
  return path
}

t.test('zsh completes, from the first TAB on, however the script is loaded', async (t) => {
  const path = await script(t, 'zsh', '_penny')
  if (path === undefined) return
  // What zsh's own parts would show is printed; they themselves only work at a prompt.
  const shown = 'compadd() { print -l -- "$@" }; _describe() { print -l -- $commands }; _files() { }'
  const loaded = {
    'by its name in $fpath': `fpath=(${dirname(path)}); autoload -Uz _penny; compdef() { }`,
    'by eval': `compdef() { [[ "$*" == '_penny penny' ]] && defined=yes }; eval "$(<${path})"; [[ $defined == yes ]] || exit 9`,
  }
  const complete = (load: string, typed: readonly string[]): string[] => {
    const ask = `${load}; ${shown}; words=(${typed.map((word) => `'${word}'`).join(' ')}); CURRENT=${typed.length}; _penny`
    const { status, stdout, stderr } = spawnSync('zsh', ['-fc', ask], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${ask}: ${status} ${stderr}`)
    return stdout.trim().split('\n')
  }
  for (const [how, load] of Object.entries(loaded)) {
    const commands = complete(load, ['penny', 's'])
    t.match(
      commands.find((one) => one.startsWith('send:')),
      /^send:.+/,
      `${how}: the commands, with what they do`,
    )
    t.ok(complete(load, ['penny', 'settle', '9c41', '']).includes('blocked'), `${how}: words after a command`)
    t.ok(complete(load, ['penny', 'status', '-']).includes('--check'), `${how}: options`)
    t.ok(complete(load, ['penny', 'help', '']).includes('doctor'), `${how}: the commands that help knows`)
  }
})

t.test('fish completes commands, their options and the words after them', async (t) => {
  const path = await script(t, 'fish', 'penny.fish')
  if (path === undefined) return
  const home = dirname(path)
  mkdirSync(`${home}/empty`)
  const complete = (line: string): string[] => {
    const env = { ...process.env, HOME: home }
    const { stdout } = spawnSync('fish', ['--no-config', '-c', `source ${path}; complete -C '${line}'`], { encoding: 'utf8', cwd: `${home}/empty`, env })
    return stdout.trim().split('\n')
  }
  t.match(complete('penny tas'), [/^tasks\t/])
  t.same(complete('penny settle 9c41 d'), ['done'])
  t.match(complete('penny status --ch'), [/^--check\t/])
  t.same(complete('penny tasks status:o'), ['status:open'])
  t.match(complete('penny help doc'), [/^doctor/])
})
