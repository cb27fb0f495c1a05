/** The real Claude Code, which `scripts/setup test` has installed into this folder. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PROJECT } from '../e2e/driver.ts'

const FOLDER = join(PROJECT, `test/clients/node_modules/@anthropic-ai/claude-code-linux-${process.arch}`)

/** Lines of an agent's file: where its jail has it. */
export function mountsOfClaude(): string {
  if (!existsSync(join(FOLDER, 'claude'))) throw new Error(`${FOLDER} is not there: scripts/setup test`)
  return `mounts: [{ from: ${FOLDER}, at: /opt/claude }]\n`
}

/** The command line that `builtin: claude` stands for, at a provider of the test's own, without a gateway. */
export function runnerOfClaude(url: string, key: string, ...options: string[]): string {
  const words = ['/usr/bin/env', `ANTHROPIC_BASE_URL=${url}`, `ANTHROPIC_AUTH_TOKEN=${key}`, '/opt/pennypost/bin/node', '/opt/pennypost/dist/runners/claude.js']
  return `runner: { command: ${JSON.stringify([...words, ...options, '--', '/opt/claude/claude'])} }\n`
}
