import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compactionIn, readRequest } from '../../src/model/index.ts'
import { KEY, type Provider, startProvider } from '../support/provider/provider.ts'
import { createReview, type Review, type ReviewOptions, type Step } from '../support/review.ts'
import { PROJECT } from './driver.ts'

t.setTimeout(240_000)

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const PROGRAM = join(PROJECT, 'dist/runners/anthropic.js')

type Ran = Readonly<{ status: number | null; out: string; err: string }>
type Desk = Readonly<{
  home: string
  provider: Provider
  review: Review
  run: (...options: string[]) => Promise<Ran>
  kill: () => void
  ledger: () => string[]
}>

/** The built program as the daemon starts it, without a daemon. */
async function desk(t: Test, options: ReviewOptions = {}, socket?: string): Promise<Desk> {
  const home = t.testdir({ 'AGENTS.md': 'How your mailbox works.', 'ROLE.md': 'You read.' })
  const review = createReview(options)
  const message = `---\nstatus: in_progress\n---\n${review.task}`
  writeFileSync(join(home, 'message.md'), message)
  mkdirSync(join(home, 'sections'))
  for (const [name, text] of Object.entries(review.files)) writeFileSync(join(home, 'sections', name), text)
  const provider = await startProvider({ keepBodies: true, ...(socket === undefined ? {} : { listen: { path: socket } }) })
  t.teardown(() => provider.close())
  provider.control.script(review.script)
  let kill = (): void => undefined
  const gateway = socket === undefined ? { ANTHROPIC_BASE_URL: provider.url } : { PENNY_GATEWAY: socket }
  const env = { PATH: process.env['PATH'], HOME: home, ANTHROPIC_AUTH_TOKEN: KEY, ...gateway }
  const facts = { PENNY_ID: ID, PENNY_AGENT: 'reader', PENNY_MESSAGE: join(home, 'message.md'), PENNY_KIND: 'task', PENNY_FROM: 'pmo' }
  return {
    home,
    provider,
    review,
    kill: () => kill(),
    ledger: () => readFileSync(join(home, 'decisions.md'), 'utf8').trimEnd().split('\n'),
    run: (...words) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [PROGRAM, '--model', 'claude-opus-4-8', ...words], { cwd: home, env: { ...env, ...facts } })
        kill = () => void child.kill('SIGKILL')
        const said = { out: '', err: '' }
        child.stdout.on('data', (chunk: Buffer) => (said.out += chunk.toString()))
        child.stderr.on('data', (chunk: Buffer) => (said.err += chunk.toString()))
        child.on('close', (status) => resolve({ status, ...said }))
        child.stdin.end(readFileSync(join(home, 'message.md')))
      }),
  }
}

const KILLED: ReadonlyArray<[kind: 'read' | 'record', section: number]> = Array.from({ length: 12 }, (_, i) => [i % 2 === 0 ? 'read' : 'record', i + 1])

for (const [kind, section] of KILLED)
  t.test(`killed before it may ${kind} section ${section}, it goes on there`, async (t) => {
    let killed = false
    const at = await desk(t, {
      before: (step: Step) => {
        if (killed || step.kind !== kind || step.section !== section) return undefined
        killed = true
        at.kill()
        return { kind: 'hang' }
      },
    })
    t.equal((await at.run()).status, null)
    const { status, out } = await at.run()
    t.equal(status, 0)
    t.equal(out, `Reviewed.\n${at.review.decisions.join('\n')}`)
    t.same(at.ledger(), at.review.decisions)
    t.same(at.review.reads(), Array(12).fill(1))
  })

t.test('whatever the window, each section is decided once, by checkpoints where it must be', async (t) => {
  for (const window of [6_000, 7_000, 9_000, 14_000, 1_000_000]) {
    const at = await desk(t, { characters: 6_000 })
    const { status, out, err } = await at.run('--context-window', String(window))
    t.equal(status, 0, err.slice(-500))
    t.same(at.ledger(), at.review.decisions)
    t.equal(out, `Reviewed.\n${at.review.decisions.join('\n')}`)
    const checkpoints = at.review.steps.filter(({ kind }) => kind === 'checkpoint').length
    t.ok(window === 1_000_000 ? checkpoints === 0 : checkpoints >= 1, `${checkpoints} checkpoints in a window of ${window}`)
    const known = at.provider.seen.flatMap(({ body }) => {
      const facts = body && readRequest(body)
      return (facts && compactionIn(body, facts)) ?? []
    })
    t.same(known, Array(checkpoints).fill('own-loop'), 'the gateway knows each')
    t.match(readFileSync(join(at.home, 'message.md'), 'utf8'), /progress: "?all sections reviewed/)
  }
})

t.test('a conversation that the provider refuses, or that is no conversation, is begun anew', async (t) => {
  for (const kept of ['{"role":"user","content":[{"type":"nonsense"}]}\n', 'not json\n', '{"role":"user","content":"x"}\n{"role":"assi']) {
    const at = await desk(t)
    mkdirSync(join(at.home, '.anthropic'))
    writeFileSync(join(at.home, '.anthropic', `${ID}.jsonl`), kept)
    if (kept.startsWith('{')) at.provider.control.next({ kind: 'error', status: 400, message: 'messages.0: Input tag does not match' })
    t.equal((await at.run()).status, 0)
    t.same(at.ledger(), at.review.decisions)
  }
})

t.test('how a run ends when the model cannot be asked', async (t) => {
  const cases = [
    { status: 400, message: 'max_tokens: too large', ends: 1, says: /refused the request: .*max_tokens: too large/ },
    { status: 401, ends: 75, says: /it is tried again later/ },
    { status: 402, ends: 75, says: /it is tried again later/ },
  ]
  for (const { ends, says, ...error } of cases) {
    const at = await desk(t)
    at.provider.control.next({ kind: 'error', ...error })
    const { status, out, err } = await at.run()
    t.equal(status, ends, String(error.status))
    t.match(err.trimEnd().split('\n').at(-1), says)
    t.equal(out, '', 'nothing is a reply')
  }
})

t.test('a stream that breaks is asked for again', async (t) => {
  const at = await desk(t, { sections: 1 })
  at.provider.control.next({ kind: 'cut', afterEvents: 2 }, { kind: 'stream-error', afterEvents: 1 })
  t.equal((await at.run()).status, 0)
  t.same(at.ledger(), at.review.decisions)
})

t.test('turns have a limit, a message that fills the window alone a sentence', async (t) => {
  const at = await desk(t)
  const limited = await at.run('--max-turns', '3')
  t.equal(limited.status, 1)
  t.match(limited.err, 'it has not ended after 3 turns')
  const small = await (await desk(t)).run('--context-window', '1000')
  t.equal(small.status, 78)
  t.match(small.err, 'fill the context window of 1000 tokens')
})

t.test('outside of jails it goes by the socket, errors and streams alike', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'penny-socket-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const at = await desk(t, {}, join(folder, 's'))
  at.provider.control.next({ kind: 'error', status: 529 }, { kind: 'cut', afterEvents: 2 }, { kind: 'cut' })
  const { status, err } = await at.run()
  t.equal(status, 0, err.slice(-500))
  t.same(at.ledger(), at.review.decisions)
  t.ok(at.provider.seen.every(({ key }) => key === KEY))
})
