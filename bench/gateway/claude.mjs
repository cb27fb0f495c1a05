/**
 * Twelve real Claude Codes at once, at a limit of 30 requests a minute: each reviews three sections, straight and through the gateway. Not in
 * jails: what is measured is what a client sends again. They take 210 MB each, and 2.5 GB a column.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { keyOf } from '../../scripts/lib/link.mjs'
import { ended, start, stop } from '../harness/children.mjs'
import { pause } from '../harness/numbers.mjs'
import { yesNo } from '../harness/report.mjs'
import { KEY, startGateway, startProvider } from './processes.mjs'

/** @typedef {import('../harness/report.mjs').Row} Row */
/** @typedef {import('./processes.mjs').Seen} Seen */
/** @typedef {{ readonly sent: number, readonly useful: number, readonly refused: number, readonly unfinished: number, readonly seconds: number }} Side */

const RPM = 30
const SERVICE_MS = /** @type {const} */ ([1000, 3000])
/** Whoever has not ended by then is counted as lost. */
const BOUND_MS = 420_000
/** Reports of the last answers are on their way when their clients have ended. */
const LAST_MS = 200
const WORDS = ['--output-format', 'stream-json', '--verbose', '--dangerously-skip-permissions']
const QUIET = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1', DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1' }

/** One client in a folder of its own; what it told, a line each. IS_SANDBOX: root may let it do without asking, too.
 * @param {string} program @param {string} dir @param {{ task: string, files: Readonly<Record<string, string>> }} review
 * @param {{ ANTHROPIC_BASE_URL: string, ANTHROPIC_AUTH_TOKEN: string }} where */
const runClaude = async (program, dir, { task, files }, where) => {
  mkdirSync(join(dir, 'sections'), { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, 'sections', file), text)
  const message = join(dir, 'message.md')
  writeFileSync(message, '---\nstatus: in_progress\n---\n')
  const config = join(dir, '.claude')
  const env = { PATH: process.env['PATH'], HOME: dir, CLAUDE_CONFIG_DIR: config, IS_SANDBOX: '1', PENNY_MESSAGE: message, ...QUIET, ...where }
  const child = start(program, ['--print', task, ...WORDS], { env, cwd: dir, log: `${dir}.log` })
  const late = setTimeout(() => void stop(child, 0), BOUND_MS)
  const { code, stdout } = await ended(child)
  clearTimeout(late)
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  return { isDone: code === 0 && lines.some(({ type, is_error: isError }) => type === 'result' && isError === false), lines }
}

/** @param {import('./scenes.mjs').Stage} stage @param {string} program @param {boolean} isOurs @returns {Promise<Side>} */
const play = async ({ programs, dir, seed }, program, isOurs) => {
  /** @type {typeof import('./reviews.ts')} */
  const { reviews } = await import(pathToFileURL(programs.reviews).href)
  const folder = join(dir, `claude-${isOurs ? 'ours' : 'naive'}`)
  const options = { seed, latencyMs: SERVICE_MS, pools: [{ models: ['claude-*'], rpm: RPM }] }
  const provider = await startProvider(programs, options, `${folder}.log`, programs.reviews)
  const gateway = isOurs ? await startGateway(programs, { upstream: provider.url, agents: reviews }, `${folder}.log`) : undefined
  const begunMs = performance.now()
  const clients = await Promise.all(
    reviews.map((review) => {
      const where = { ANTHROPIC_BASE_URL: gateway?.urlOf(review.name) ?? provider.url, ANTHROPIC_AUTH_TOKEN: gateway ? keyOf(review.name) : KEY }
      return runClaude(program, join(folder, review.name), review, where)
    }),
  )
  const seconds = (performance.now() - begunMs) / 1000
  await pause(LAST_MS)
  await gateway?.stop()
  await provider.stop()
  const sent = provider.seen.filter(({ path }) => path.startsWith('/v1/messages') && !path.includes('count_tokens'))
  return {
    sent: sent.length,
    // What was answered whole; the same again is of no use.
    useful: new Set(sent.filter(({ status, end }) => status === 200 && end === 'whole').map(({ sha256, session }) => `${session} ${sha256}`)).size,
    refused: clients.flatMap(({ lines }) => lines).filter(isRefusal).length,
    unfinished: clients.filter(({ isDone }) => !isDone).length,
    seconds,
  }
}

/** What it tells before it tries again. @param {Readonly<Record<string, unknown>>} line */
const isRefusal = ({ type, subtype, error_status: status }) => type === 'system' && subtype === 'api_retry' && status === 429

/** @param {import('./scenes.mjs').Stage} stage @param {string} root of the repository @returns {Promise<Row[]>} */
export const claude = async (stage, root) => {
  const program = join(root, `test/clients/node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`)
  if (!existsSync(program)) throw new Error('Claude Code is not there: scripts/setup test')
  const [naive, ours] = await Promise.all([play(stage, program, false), play(stage, program, true)])
  /** @param {string} what @param {(side: Side) => number} of @param {number} most @param {(figure: number) => string} show @returns {Row} */
  const row = (what, of, most, show = String) => {
    const goal = most === 0 ? '0' : `≤ ${most}`
    return { what: `${what} (12 claude -p, ${RPM} RPM)`, measured: show(of(ours)), beside: show(of(naive)), goal, reached: yesNo(of(ours) <= most) }
  }
  return [
    row(
      'requests sent per useful one',
      ({ sent, useful }) => sent / Math.max(1, useful),
      1.02,
      (figure) => figure.toFixed(3),
    ),
    row('429s reaching them', ({ refused }) => refused, 0),
    row('unfinished', ({ unfinished }) => unfinished, 0),
    {
      what: `all have ended after (12 claude -p, ${RPM} RPM)`,
      measured: `${ours.seconds.toFixed(0)} s, ${ours.useful} requests`,
      beside: `${naive.seconds.toFixed(0)} s, ${naive.useful} requests`,
      goal: '',
      reached: '',
    },
  ]
}
