/**
 * `builtin: claude`: Claude Code without a person. One session a message: a run that was cut off is resumed.
 *
 * Given: the message on standard input, facts and the gateway's address in the environment.
 * Returns: its answer, which is the reply, on standard output; all that it tells while it works on standard error, for the run's log.
 * When it fails: the last line says why. 75: the model could not be asked, which costs no attempt.
 *
 *   node claude.js [--model M] [--max-turns N] [--context-window N] [-- CLAUDE [ARGUMENT …]]
 *   node claude.js --remind      a hook of its own: after a compaction it gives message and checkpoint anew
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { shellWord } from '../core/text.ts'
import { packageFolder } from '../system/package.ts'
import { readCheckpoint } from './checkpoint.ts'
import { EXIT, end, Failure } from './exit.ts'
import { goOnPrompt, promptFor } from './prompt.ts'
import { type Session, sessionAfter, sessionFor } from './sessions.ts'
import { readAgain, readInput, readSituation, type Situation } from './situation.ts'
import { type Result, readStream } from './stream.ts'

/** What is tried again later: by no fault of the agent or the message. */
const PASSING = [401, 402, 403, 408, 409, 429, 500, 502, 503, 504, 529]
/** It asks for a login where there is none; the gateway is the identity. */
const PLACEHOLDER = 'pennypost'
const INSTALL = 'sudo npm install --global --prefix /usr/local @anthropic-ai/claude-code'

type Asked = Readonly<{ model: string | undefined; maxTurns: string | undefined; window: string | undefined; command: readonly string[] }>
type Ended = Readonly<{ begun: boolean; result: Result | undefined; how: string }>

await end('claude', async () => {
  const word = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { model: word, 'max-turns': word, 'context-window': word, remind: { type: 'boolean' } },
  })
  if (values.remind) return remind()
  const situation = readSituation(process.env, await readInput())
  const asked = {
    model: values.model,
    maxTurns: values['max-turns'],
    window: values['context-window'],
    command: positionals.length > 0 ? positionals : ['claude'],
  }
  const reply = await work(situation, asked)
  await new Promise<void>((resolve) => void process.stdout.write(reply, () => resolve()))
})

function remind(): void {
  const situation = readAgain(process.env)
  if (situation) process.stdout.write(promptFor(situation, readCheckpoint(situation)))
}

async function work(situation: Situation, asked: Asked): Promise<string> {
  const folder = process.env['CLAUDE_CONFIG_DIR'] ?? join(situation.home, '.claude')
  const checkpoint = readCheckpoint(situation)
  let session = sessionFor(folder, situation.id)
  for (;;) {
    const ended = await start(asked, folder, session, session.exists ? goOnPrompt(situation, checkpoint) : promptFor(situation, checkpoint))
    const next = session.exists && !ended.begun ? sessionAfter(situation.id, session) : undefined
    if (!next) return replyIn(ended)
    process.stderr.write('claude: its session cannot be resumed; a new one begins with message and checkpoint\n')
    session = next
  }
}

function start({ model, maxTurns, window, command }: Asked, folder: string, { id, exists }: Session, prompt: string): Promise<Ended> {
  const [program = '', ...words] = command
  const options = [
    ...['--print', '--output-format', 'stream-json', '--verbose'],
    // The jail is the wall; nobody is there to be asked.
    '--dangerously-skip-permissions',
    ...['--settings', JSON.stringify({ hooks: hooks() })],
    ...(exists ? ['--resume', id] : ['--session-id', id]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(maxTurns === undefined ? [] : ['--max-turns', maxTurns]),
  ]
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words, ...options], { env: environmentFor(folder, window), stdio: ['pipe', 'pipe', 'inherit'] })
    const stream = readStream()
    const pass = (signal: NodeJS.Signals): void => void child.kill(signal)
    process.on('SIGTERM', pass)
    child.stdin.on('error', () => undefined)
    child.stdin.end(prompt)
    child.stdout.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk)
      stream.add(chunk)
    })
    child.on('error', (cause: NodeJS.ErrnoException) => reject(notStarted(program, cause)))
    child.on('close', (code, signal) => {
      process.off('SIGTERM', pass)
      resolve({ begun: stream.begun(), result: stream.result(), how: code === null ? `killed by ${signal}` : `exit ${code}` })
    })
  })
}

function notStarted(program: string, { code }: NodeJS.ErrnoException): Failure {
  if (code !== 'ENOENT' && code !== 'EACCES') return new Failure(EXIT.tryAgain, `${program} could not be started: ${code}`)
  const why = `${program} is not there in its jail, which shows /usr and the mounts: of its file`
  return new Failure(EXIT.noProgram, `${why}; what installs it in /usr: ${INSTALL}`, INSTALL)
}

function replyIn({ result, how }: Ended): string {
  if (!result) throw new Failure(EXIT.failed, `it ended without an answer (${how})`)
  const words = result.text.replaceAll(/\s+/g, ' ').slice(0, 500)
  if (!result.isError) return result.text
  const { status, subtype } = result
  const isPassing = status === undefined ? /connection error|timed? ?out|ECONN|fetch failed/i.test(words) : PASSING.includes(status)
  if (isPassing) throw new Failure(EXIT.tryAgain, `the model could not be asked (${words}); it is tried again later`)
  if (subtype === 'error_max_turns') throw new Failure(EXIT.failed, 'it has not ended within the turns that its file allows (max_turns:)')
  throw new Failure(EXIT.failed, words === '' ? subtype : words)
}

/**
 * PreCompact: nothing is forgotten before its checkpoint is written. PostToolUse: the model is told so; what blocks a compaction is shown to
 * people alone. SessionStart: a new context begins with the message.
 */
function hooks(): object {
  const own = [process.execPath, join(packageFolder(), 'dist/cli/penny.js')].map(shellWord).join(' ')
  const self = [process.execPath, fileURLToPath(import.meta.url)].map(shellWord).join(' ')
  const command = (line: string): object => ({ hooks: [{ type: 'command', command: line }] })
  return {
    PreCompact: [command(`${own} hook precompact`)],
    PostToolUse: [{ matcher: '*', ...command(`${own} hook posttooluse`) }],
    SessionStart: [{ matcher: 'compact', ...command(`${self} --remind`) }],
  }
}

function environmentFor(folder: string, window: string | undefined): NodeJS.ProcessEnv {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_AUTH_TOKEN: token, ANTHROPIC_BASE_URL: baseUrl, PENNY_GATEWAY: socket, ...rest } = process.env
  return {
    ...rest,
    CLAUDE_CONFIG_DIR: folder,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    ...(window === undefined ? {} : { CLAUDE_CODE_AUTO_COMPACT_WINDOW: window }),
    ...(baseUrl ? { ANTHROPIC_BASE_URL: baseUrl } : socket ? { ANTHROPIC_BASE_URL: 'http://localhost', ANTHROPIC_UNIX_SOCKET: socket } : {}),
    // One of the two: with both it warns, and with none it wants a login.
    ...(token ? { ANTHROPIC_AUTH_TOKEN: token } : key ? { ANTHROPIC_API_KEY: key } : baseUrl || socket ? { ANTHROPIC_AUTH_TOKEN: PLACEHOLDER } : {}),
    ...(socket === undefined ? {} : { PENNY_GATEWAY: socket }),
  }
}
