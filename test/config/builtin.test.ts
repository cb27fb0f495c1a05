import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { Runner } from '../../src/core/config.ts'
import { configOf } from './organisation.ts'

function runnerOf(lines: string): Runner | undefined {
  const { agents } = configOf({ 'agents/legal.md': `---\n${lines}---\nYou are legal.\n` })
  return [...agents.values()].find(({ name }) => name === 'legal')?.runner
}

t.test('a built-in runner is a command line, with the options that its file gives', async (t) => {
  const anthropic = ['/opt/pennypost/bin/node', '/opt/pennypost/dist/runners/anthropic.js']
  const claude = ['/opt/pennypost/bin/node', '/opt/pennypost/dist/runners/claude.js']
  t.match(runnerOf('runner: { builtin: anthropic }\n'), { command: anthropic, builtin: 'anthropic', concurrency: 1, maxAttempts: 3, notes: false })
  t.same(runnerOf('runner: { builtin: anthropic, model: m, max_tokens: 8000, max_turns: 50, notes: true }\ncontext_window: 90000\n')?.command, [
    ...anthropic,
    '--model',
    'm',
    '--max-tokens',
    '8000',
    '--max-turns',
    '50',
    '--context-window',
    '90000',
  ])
  t.same(runnerOf('runner: { builtin: claude }\n')?.command, claude)
  t.same(runnerOf('runner: { builtin: claude, command: [/opt/claude/claude, --debug], max_turns: 9 }\n')?.command, [
    ...claude,
    '--max-turns',
    '9',
    '--',
    '/opt/claude/claude',
    '--debug',
  ])
  t.equal(runnerOf('runner: { command: [./handle.sh] }\ncontext_window: 90000\n')?.builtin, undefined)
})

t.test('what docs/runners.md spells out is what the file says in short', async (t) => {
  const shown = [...readFileSync('docs/runners.md', 'utf8').matchAll(/^runner: .*$/gm)].map(([line]) => parse(line) as { runner: { command?: string[] } })
  t.equal(shown.length, 5)
  const long = shown.find(({ runner }) => runner.command?.includes('/opt/pennypost/dist/runners/anthropic.js'))
  t.same(long?.runner.command, runnerOf('runner: { builtin: anthropic, model: claude-opus-5-5, max_turns: 50 }\n')?.command)
})
