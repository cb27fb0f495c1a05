/** The body of a message: `-m`, standard input, or an editor where that is a terminal. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { typedAgain } from './again.ts'
import { type Call, textOption } from './command.ts'
import { AGAIN, EXIT, refuse } from './exit.ts'

export async function readBody(call: Call): Promise<Buffer> {
  const given = textOption(call, 'message')
  if (given !== undefined) return Buffer.from(`${given}\n`)
  const { stdin, stdinIsTerminal } = call.surroundings
  if (stdinIsTerminal) return fromEditor(call)
  const chunks: Buffer[] = []
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer))
  return Buffer.concat(chunks)
}

function fromEditor(call: Call): Buffer {
  const { env } = call.surroundings
  const editor = env['VISUAL'] || env['EDITOR']
  if (!editor)
    refuse(
      EXIT.usage,
      'there is no body',
      'standard input is a terminal, and neither VISUAL nor EDITOR is set',
      `echo 'the text' | ${typedAgain(call.surroundings)}`,
    )
  const folder = mkdtempSync(join(tmpdir(), 'penny-'))
  try {
    const file = join(folder, 'message.md')
    writeFileSync(file, '', { mode: 0o600 })
    // As git and crontab do: the variable may hold a command with options.
    const { status } = spawnSync('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    if (status !== 0) refuse(EXIT.no, 'nothing was sent', `the editor ended with status ${status ?? 'none'}`, AGAIN)
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
