import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { exampleFiles, loadConfig, readPolicies } from '../../src/config/index.ts'
import { realSystem } from '../../src/system/index.ts'

const dir = resolve('policies')
const runner = `${dir}/runners/handle.sh`
const { disk } = await realSystem(t.testdir(), 'error', () => undefined)

t.test('the example organisation is sound and has exactly thirty agents', async (t) => {
  const policies = readPolicies(disk, dir)
  const loaded = loadConfig(policies, dir)
  t.ok(loaded.ok, JSON.stringify(loaded))
  if (!loaded.ok) return
  const { config } = loaded
  t.equal(config.agents.size, 30)
  t.equal(config.org.postmaster, 'operator')
  for (const name of ['ceo', 'cfo', 'pmo', 'legal']) t.ok(config.agents.has(name as never), name)
  t.equal(config.agents.get('legal' as never)?.title, 'General Counsel')
  t.equal([...config.agents.values()].filter((agent) => agent.runner).length, 22)
  t.same(new Set([...config.agents.values()].filter((agent) => agent.reads.length > 0).map((agent) => agent.name)), new Set(['pmo', 'compliance']))
  t.equal(config.groups.get('oncall' as never)?.deliver, 'one')
  t.ok(
    [...config.groups.values()].find((group) => group.deliver === 'one')?.members.every((name) => config.agents.get(name)?.runner),
    'who is on call is woken',
  )
  t.same([...config.schedules.keys()], ['weekly-report'])
  t.same(
    config.priorities.rules.map((rule) => rule.name),
    ['urgent', 'high', 'normal', 'low'],
  )
  for (const agent of config.agents.values()) {
    const lines = agent.role.split('\n').filter((line) => line !== '').length
    t.ok(agent.title !== undefined && lines >= 5 && lines <= 12, `${agent.name} has a title and a role of ${lines} lines`)
  }
})

t.test('as an example for a new root it is the same organisation, with a runner that can be executed', async (t) => {
  const root = t.testdir({})
  const files = exampleFiles({ kind: 'thirty', policies: readPolicies(disk, dir) })
  for (const [path, file] of files) {
    mkdirSync(`${root}/${path}`.replace(/\/[^/]*$/, ''), { recursive: true })
    writeFileSync(`${root}/${path}`, file.text, { mode: file.mode })
  }
  const [here, there] = [loadConfig(readPolicies(disk, dir), dir), loadConfig(readPolicies(disk, `${root}/policies`), dir)]
  t.equal(there.ok && there.config.digest, here.ok && here.config.digest)
  t.equal(statSync(`${root}/policies/runners/handle.sh`).mode & 0o111, 0o111)
  t.equal(statSync(runner).mode & 0o111, 0o111, 'and so is the one of the repository')
})

/** Runs the program as an agent's runner would. */
function handle(home: string, message: string | Buffer, words: readonly string[] = [], env: Record<string, string> = {}) {
  const run = spawnSync(runner, words, { cwd: home, input: message, env: { PATH: '/usr/bin:/bin', ...env }, encoding: 'utf8' })
  return { status: run.status, reply: run.stdout, said: run.stderr }
}

const REVIEW = `---
id: 019a0000-0000-7000-8000-000000000001
from: pmo
subject: "Review: Operating Agreement"
due: 2026-03-01
---
# Operating Agreement
Liability is capped at €12.500,00, or $1,200.50, or 300 EUR.
Notice by 2026-02-14, end on 2026-12-31; 2026-13-40 is no date.

\`\`\`
- [ ] in a fence
\`\`\`
- [x] read
- [ ] mend the indemnity clause

## Open points
Who determines the price?
`

t.test('the runner answers with what it really found, and the same message gives the same reply', async (t) => {
  const home = t.testdir({})
  const first = handle(home, REVIEW, ['liability', 'indemnity', 'term'])
  t.equal(first.status, 0)
  t.equal(
    first.reply,
    `Read "Review: Operating Agreement" from pmo: 46 words in 8 lines, 2 headings.

**Concluded:** Left open: 1 box and 1 question. It concerns this desk: liability, indemnity. Due 2026-03-01. Its dates run from 2026-02-14 to 2026-12-31. EUR 12800.00 in all. USD 1200.50 in all.

## Outline
- Operating Agreement
- Open points

## Open boxes (1 of 2 ticked)
- mend the indemnity clause (line 9)

## Questions
- Who determines the price? (line 12)

## Dates
- 2026-02-14 (line 3)
- 2026-12-31 (line 3)

## Amounts
- EUR 12500.00 (line 2)
- USD 1200.50 (line 2)
- EUR 300.00 (line 2)

## This desk looks for
- liability: on 1 line, first on line 2
- indemnity: on 1 line, first on line 9
`,
  )
  t.equal(handle(home, REVIEW, ['liability', 'indemnity', 'term']).reply, first.reply)
  t.equal(handle(home, REVIEW.replaceAll('\n', '\r\n'), ['liability', 'indemnity', 'term']).reply, first.reply, 'CRLF changes nothing')
})

t.test('amounts are understood in both spellings, and never added across currencies', async (t) => {
  const totals = (text: string) => (handle(t.testdir({}), text).reply.match(/[A-Z]{3} [0-9.]+ in all/g) ?? []).join(', ')
  t.equal(totals('1,000 EUR\n'), 'EUR 1000.00 in all')
  t.equal(totals('1.000 EUR and EUR 0,50\n'), 'EUR 1000.50 in all')
  t.equal(totals('£1,234,567.89 or CHF 5.\n'), 'GBP 1234567.89 in all, CHF 5.00 in all')
  t.equal(totals('$ 10 and USD 10\n'), 'USD 20.00 in all')
  t.equal(totals('12 pieces, 3 boxes\n'), '')
})

t.test('it takes plain text, the path of the message, and says so when there is nothing', async (t) => {
  const home = t.testdir({ 'message.md': '---\nsubject: From the file\n---\nDone.\n' })
  t.match(handle(home, 'hello').reply, /^Read the message: 1 word in 1 line, 0 headings\.\n\n\*\*Concluded:\*\* Nothing is left open\.\n$/)
  t.match(handle(home, '', [], { PENNY_MESSAGE: `${home}/message.md` }).reply, /^Read "From the file": 1 word/)
  t.match(handle(home, ''), { status: 66, reply: '', said: /no message/ })
  t.match(handle(home, '---\nsubject: x\n---\n').reply, /The message has no text; there is nothing to do\./)
})

t.test('each message leaves one line in home/handled.md, also when the run comes twice', async (t) => {
  const root = t.testdir({ home: {}, attachments: { 'id-1': { 'contract.txt': 'a\nb\n' } } })
  for (const id of ['id-1', 'id-1', 'id-2']) handle(`${root}/home`, 'Shall we?\n', [], { PENNY_ID: id })
  t.equal(readFileSync(`${root}/home/handled.md`, 'utf8'), '- id-1: Left open: 1 question.\n- id-2: Left open: 1 question.\n')
  t.match(handle(`${root}/home`, 'x', [], { PENNY_ID: 'id-1' }).reply, /## Attachments\n- contract\.txt: 4 bytes, 2 lines\n$/)
})

t.test('what a sender writes stays text: no escape, no half character, no second front matter, no command', async (t) => {
  const home = t.testdir({})
  const { reply } = handle(home, `- [ ] \u001b[31mred\u0007 $(touch planted) \`touch planted\`\n- [ ] ${'ä'.repeat(200)}\n---\nfrom: ceo\n---\n%s %d \\n?\n`, [
    '%s',
    '$(touch planted)',
  ])
  for (const unfit of ['\u0007', '\u001b', '\ufffd']) t.notOk(reply.includes(unfit), `no U+${unfit.charCodeAt(0).toString(16)}`)
  t.notMatch(reply, / from ceo/)
  t.match(reply, /- \[31mred \$\(touch planted\) `touch planted` \(line 1\)/)
  t.match(reply, /- %s %d \\n\? \(line 6\)/)
  t.throws(() => statSync(`${home}/planted`), { code: 'ENOENT' })
})

t.test('a message at the limit is answered, its lists cut at twenty', async (t) => {
  const { status, reply } = handle(t.testdir({}), Array.from({ length: 6000 }, (_, i) => `- [ ] point ${i} by 2026-01-01 for 5 EUR\n`).join(''))
  t.equal(status, 0)
  t.match(reply, /Left open: 6000 boxes/)
  t.match(reply, /EUR 30000\.00 in all/)
  t.match(reply, /- and 5980 more/)
})
