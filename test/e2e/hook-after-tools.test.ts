/** The hook that is started after each tool of an agent: it says what it must, and costs little where it has nothing to say. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { PENNY } from './driver.ts'

const ID = '01a1f000-0001-7000-8000-0000aaaa1111'
const ORDER = JSON.stringify({ ordered: new Date().toISOString(), usedTokens: 810, windowTokens: 1_000, passed: 80 })

function workspace(t: Test) {
  const at = t.testdir()
  for (const folder of ['home', 'runs', 'cur', 'new', 'outbox']) mkdirSync(join(at, folder))
  const env = { PATH: process.env['PATH'], PENNY_AGENT: 'legal', PENNY_ID: ID, PENNY_MESSAGE: join(at, 'cur', 'm.md') }
  const hook = (said: string, program = PENNY) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'hook', 'posttooluse'], { input: said, env, cwd: join(at, 'home') })
    return { status, out: stdout.toString(), err: stderr.toString() }
  }
  return { at, hook }
}

const said = (session: string, more: object = {}): string => JSON.stringify({ session_id: session, ...more })
const SILENCE = { status: 0, out: '', err: '' }

t.test('it tells of an order for the session or the message, once, and of nothing else', async (t) => {
  const { at, hook } = workspace(t)
  t.same(hook(said('s-1')), SILENCE)
  t.same(hook(said('s-1', { tool_response: 'x'.repeat(3_000_000) })), SILENCE, 'whatever a tool has said')
  writeFileSync(join(at, 'runs/s-2.context.json'), ORDER)
  t.same(hook(said('s-1')), SILENCE, 'of another session')
  t.match(hook(said('s-2')).out, /additionalContext/)
  t.same(hook(said('s-2')), SILENCE, 'it knows')
  writeFileSync(join(at, `runs/${ID}.context.json`), ORDER)
  t.match(hook(said('s-1')).out, /additionalContext/)
  rmSync(join(at, `runs/${ID}.context.json`))
  writeFileSync(join(at, 'home/.checkpoint-asked.json'), JSON.stringify({ 's-3': { sinceMs: Date.now(), times: 1 } }))
  t.match(hook(said('s-3')).out, /additionalContext/, 'a compaction was held back')
  for (const odd of ['', 'not json', 'null', '7', said('../../../etc')]) t.same(hook(odd), SILENCE, odd)
})

t.test('where it has nothing to say it stands on few files', async (t) => {
  const { at, hook } = workspace(t)
  const copied = new Set<string>()
  const copy = (file: string): void => {
    if (copied.has(file)) return
    copied.add(file)
    copyFileSync(join(dirname(PENNY), file), join(at, file))
    const imported = readFileSync(join(at, file), 'utf8').matchAll(/^import\b[^(;]*?["']\.\/([^"']+)["'];$/gm)
    for (const [, name = ''] of imported) copy(name)
  }
  writeFileSync(join(at, 'package.json'), '{"type":"module"}')
  copy('penny.js')
  t.ok(copied.size <= 2, [...copied].join())
  t.same(hook(said('s-1'), join(at, 'penny.js')), SILENCE)
})
