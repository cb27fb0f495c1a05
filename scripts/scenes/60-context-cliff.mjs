import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { freePort } from '../lib/link.mjs'
import { lettersOf, openAlerts } from '../lib/mail.mjs'
import { KEY, startProvider } from '../lib/provider.mjs'
import { createReviewer, decisionOf, fileOf, SECTIONS, sectionOf, summaryOrder, taskOf } from '../lib/reviewer.mjs'
import { SEEN_MS } from '../lib/stage.mjs'

export const title = 'The context window is a cliff'

/** Room for six sections, beside what the agent is told of its role and its tools. In tokens, and characters. */
const [WINDOW, SECTION] = [10_500, 3_000]
/** As `builtin: anthropic` has it: the client that stands for the others compacts where ours asks for a checkpoint. */
const NEARLY_FULL = 0.75
const [FIRST, KILLED_AT] = [1, 10]
const ANSWER_MS = 40
/** By the fake model in three seconds; a real one thinks. */
const REVIEW_MS = { fake: 30_000, real: 900_000 }
const FULL = `${WINDOW.toLocaleString('en')} TOKENS ARE FULL`
const BARS = [...'▁▂▃▄▅▆▇█']
const REAL = { keyFile: process.env.PENNY_DEMO_KEY_FILE, url: process.env.PENNY_DEMO_BASE_URL ?? 'https://api.anthropic.com' }

export async function play(stage) {
  stage.prose(`An agent reviews twelve sections of a paper, and its model has a small window: it is full at the seventh. What a client does then is to put a
    summary in the place of all that was said. Here an organisation of one agent, with the loop that comes with pennypost:`)
  const root = join(stage.desk, 'review')
  const at = (line) => `cd $DESK/review && ${line}`
  const killing = { isDue: false, isDone: REAL.keyFile !== undefined, at: 0 }
  const model = createReviewer({ folder: '/paper', before: ({ kind, section }) => !isKillDue(killing, kind, section) })
  const provider = REAL.keyFile ? undefined : await startProvider({ answerMs: () => ANSWER_MS, answerTo: model.answerTo })
  found(stage, root, provider?.url ?? REAL.url, await freePort())
  try {
    await stage.type(at('penny up --detach'), { ownGroup: true })
    await stage.type(at('sed -n 2,4p policies/agents/reader.md && penny gateway test'))
    const id = await review(stage, root, killing, model.marks)
    const used = usedOf(root)
    if (provider) compare(stage, { used, marks: model.marks(), killedAt: killing.at }, await withoutCheckpoint(used.length))
    else stage.table(['WHO', FULL], [['pennypost', pictureOf(used)]], [])
    await proof(stage, root, id, at)
  } finally {
    // Also where the demo was stopped, and nothing more may be typed.
    spawnSync(process.execPath, [resolve('dist/cli/penny.js'), 'down', '--root', root], { stdio: 'ignore' })
    provider?.stop()
  }
}

/** An organisation of a person and an agent, beside the paper. */
function found(stage, root, url, port) {
  const paper = join(stage.desk, 'paper')
  mkdirSync(paper, { mode: 0o755 })
  for (let n = FIRST; n <= SECTIONS; n++) writeFileSync(join(paper, fileOf(n)), sectionOf(n, SECTION), { mode: 0o644 })
  for (const folder of ['agents', 'people', 'providers']) mkdirSync(join(root, 'policies', folder), { recursive: true })
  const keyFile = resolve(REAL.keyFile ?? join(stage.desk, 'key'))
  if (!REAL.keyFile) writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 })
  const files = {
    // Uids that the demo's thirty do not have.
    'org.yaml': `name: review\npostmaster: operator\nuids: { from: 420000, to: 420099 }\nwake: { stagger: 0s }\ngateway: { listen: "127.0.0.1:${port}" }\n`,
    'people/operator.md': '---\n---\nYou.\n',
    'agents/reader.md': `---\nrunner: { builtin: anthropic }\ncontext_window: ${WINDOW}\nmounts: [{ from: ${paper}, at: /paper }]\n---\nYou review papers.\n`,
    'providers/main.yaml': `api: anthropic-messages\nbase_url: ${url}\nkey_file: ${keyFile}\n`,
  }
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, 'policies', file), text)
}

/** The whole review, with its run killed once in between; the message's id. */
async function review(stage, root, killing, marks) {
  const boundMs = REAL.keyFile ? REVIEW_MS.real : REVIEW_MS.fake
  stage.write('paper.md', taskOf('/paper'))
  await stage.type('cp $DESK/paper.md $DESK/review/spool/reader/')
  const letter = () => lettersOf(root, 'reader').find(({ file }) => file.endsWith('.paper.md') || file.includes('review-the-paper'))
  const { id } = (await stage.until('the task is delivered', SEEN_MS, letter)).seen
  if (!killing.isDone) {
    await stage.until(`section ${KILLED_AT} is to be read`, boundMs, () => killing.isDue)
    Object.assign(killing, { isDone: true, at: marks().length })
    stage.prose(`It has been through the cliff by now, and is at section ${KILLED_AT}. As if that were not enough:`)
    await stage.type(`kill -9 ${runnerOf(id)}`)
  }
  const { seen } = await stage.until('the review is settled', boundMs, () => ['done', 'failed'].includes(letter()?.head.status) && letter())
  stage.expect(seen.head.status === 'done', `the review is ${seen.head.status}`)
  return id
}

function isKillDue(killing, kind, section) {
  killing.isDue ||= !killing.isDone && kind === 'read' && section === KILLED_AT
  return killing.isDue && !killing.isDone
}

/** The program of a run for that message, whatever of its jail is around it. */
function runnerOf(id) {
  return readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false
    try {
      const [program, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      if (basename(program) !== 'node' || !words.some((word) => word.endsWith('runners/anthropic.js'))) return false
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PENNY_ID=${id}`)
    } catch (cause) {
      // It has ended, or is somebody else's.
      if (['ENOENT', 'ESRCH', 'EACCES'].includes(cause.code)) return false
      throw cause
    }
  })
}

/** How full the context was with each answer, by the gateway's ledger. */
function usedOf(root) {
  const folder = join(root, '.penny/gateway/ledger')
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').trimEnd().split('\n'))
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ agent, status }) => agent === 'reader' && status === 200)
    .map((entry) => entry.inputTokens + entry.cacheReadTokens + entry.cacheWriteTokens + entry.outputTokens)
}

/** The same model and window behind a client that knows of no checkpoints: it goes on with what its summary says. */
async function withoutCheckpoint(requests) {
  const model = createReviewer({ folder: 'paper' })
  const provider = await startProvider({ answerMs: () => 0, answerTo: model.answerTo })
  const used = []
  const ask = async (messages) => {
    const answer = await fetch(`${provider.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
      // As long as what the other agent is told of role and tools.
      body: JSON.stringify({ model: 'claude-opus-4-8', system: '.'.repeat(7_000), messages }),
    })
    const { content, usage } = await answer.json()
    used.push(usage.input_tokens + usage.output_tokens)
    return content
  }
  const begin = (summary = []) => [{ role: 'user', content: [...taskOf('paper'), ...summary].join('\n') }]
  try {
    let messages = begin()
    while (used.length < requests) {
      const content = await ask(messages)
      messages.push({ role: 'assistant', content }, { role: 'user', content: content.filter(({ type }) => type === 'tool_use').map(resultOf) })
      if (used.at(-1) + SECTION / 4 < NEARLY_FULL * WINDOW || used.length >= requests) continue
      const summary = await ask([...messages, { role: 'user', content: summaryOrder }])
      messages = begin(summary.map(({ text }) => text))
    }
  } finally {
    provider.stop()
  }
  return { used, marks: model.marks() }
}

function resultOf({ id, name, input }) {
  const n = Number(/(\d+)\.md$/.exec(input.file_path ?? '')?.[1])
  return { type: 'tool_result', tool_use_id: id, content: name === 'Read' ? sectionOf(n, SECTION) : '(no output)' }
}

function compare(stage, ours, naive) {
  stage.prose(`The same model behind a client without checkpoints, and the review above. A column is an answer: how full the context is, and which section
    it is about (a b c are 10 11 12; * is what the client asks for when it is nearly full: a summary here, a checkpoint there; x is the kill).`)
  const rows = [
    ['its context alone', naive],
    ['pennypost', ours],
  ].flatMap(([who, { used, marks, killedAt }]) => [
    [who, 'context', withAt(pictureOf(used), killedAt, ' ')],
    ['', 'section', withAt(marks, killedAt, 'x')],
  ])
  stage.table(['WHO', '', FULL], rows, [])
  const [before, after] = ours.marks.split('*')
  const again = naive.marks.split('*')[1] ?? ''
  stage.expect(again.startsWith('1'), 'the client without checkpoints did not begin again')
  stage.expect(after?.[0] === before.at(-1), `the review went on with section ${after?.[0]} after section ${before.at(-1)}`)
  stage.checked(`with its context alone it began again at section 1; here it went on at section ${Number.parseInt(after[0], SECTIONS + 1)} of ${SECTIONS}`)
}

async function proof(stage, root, id, at) {
  await stage.type(at('cat workspaces/reader/home/decisions.md'))
  await stage.type(at(`head -n 4 workspaces/reader/runs/${id}.checkpoint.md && penny usage`))
  const decided = readFileSync(join(root, 'workspaces/reader/home/decisions.md'), 'utf8').trimEnd().split('\n')
  const wanted = Array.from({ length: SECTIONS }, (_, i) => decisionOf(i + 1))
  // A real model words them as it likes.
  const asWanted = REAL.keyFile ? decided.map((line, i) => (line.startsWith(`DECISION ${i + 1}:`) ? wanted[i] : line)) : decided
  stage.expect(asWanted.join('\n') === wanted.join('\n'), 'the decisions are not each of the twelve, once, in turn')
  const late = openAlerts(root).find(({ code }) => code === 'checkpoint-missing' || code === 'run-failed')
  stage.expect(!late, `an alert says: ${late?.sentence}`)
  stage.checked(`twelve sections, each decided once, through a full context${REAL.keyFile ? '' : ' and a killed run'}`)
}

const withAt = (text, at, mark) => (at === undefined ? text : `${text.slice(0, at)}${mark}${text.slice(at)}`)

function pictureOf(used) {
  return used.map((tokens) => BARS[Math.min(BARS.length - 1, Math.floor((tokens / WINDOW) * BARS.length))]).join('')
}
