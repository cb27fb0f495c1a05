import t from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, until } from '../e2e/files.ts'
import { type Office, reviewing } from '../e2e/reviewing.ts'
import { KEY } from '../support/provider/provider.ts'
import { mountsOfClaude, runnerOfClaude } from './claude.ts'

const agent = (url: string, ...options: string[]): string => mountsOfClaude() + runnerOfClaude(url, KEY, ...options)
const sessionsOf = ({ provider }: Office): Set<unknown> =>
  new Set(provider.seen.flatMap(({ headers, path }) => (path.startsWith('/v1/messages') ? [headers['x-claude-code-session-id']] : [])))

t.test('Claude Code takes a task from the mailbox to a settled reply', async (t) => {
  const office = await reviewing(t, { agent })
  office.begin()
  t.equal((await office.settled()).head.get('status'), 'done')
  t.same(office.ledger(), office.review.decisions)
  t.same(office.review.reads(), Array(12).fill(1))
  const reply = await until('the reply', () => office.replies()[0])
  t.equal(reply.body.toString().trimEnd(), `Reviewed.\n${office.review.decisions.join('\n')}`)
  t.equal(sessionsOf(office).size, 1)
  t.match(office.log(), /^\{"type":"system","subtype":"init"/m, 'what it tells is in the log')
  const [first] = office.provider.seen.filter(({ path }) => path.startsWith('/v1/messages'))
  t.ok(first?.body?.includes('You are reader.') || first?.body?.includes('ROLE.md'), 'it knows where its role is')
})

t.test('killed in the middle, it is resumed in its session', async (t) => {
  let killed = false
  const office = await reviewing(t, {
    agent,
    review: {
      before: async (step) => {
        if (killed || step.kind !== 'read' || step.section !== 7) return undefined
        killed = true
        // What it does is on its disk a moment later, as fast as no model answers.
        setTimeout(() => void office.org.end('SIGKILL'), 500)
        return { kind: 'hang' }
      },
    },
  })
  office.begin()
  await until('it was killed', () => killed && !office.org.running(), 60_000)
  await office.org.up()
  t.equal((await office.settled()).head.get('status'), 'done')
  t.same(office.ledger(), office.review.decisions)
  t.same(office.review.reads(), Array(12).fill(1))
  t.equal(sessionsOf(office).size, 1)
})

t.test('after a compaction that forgets everything it is given message and checkpoint anew', async (t) => {
  const office = await reviewing(t, {
    agent: (url) => agent(url, '--context-window', '60000'),
    review: { characters: 24_000, order: /recorded \d+ of paper/ },
  })
  office.begin()
  t.equal((await office.settled()).head.get('status'), 'done')
  t.ok(
    office.review.steps.some(({ kind }) => kind === 'summary'),
    'it was compacted',
  )
  t.same(office.ledger(), office.review.decisions)
})

t.test('what the provider refuses is a failed attempt, told in its words', async (t) => {
  const office = await reviewing(t, { agent: (url) => agent(url).replace(/\] \}\n$/, '], max_attempts: 1 }\n') })
  office.provider.control.next({ kind: 'error', status: 400, message: 'no such thing' })
  office.begin()
  t.equal((await office.settled()).head.get('status'), 'failed')
  t.match((await until('the alert', () => alertOf(office.org.root, 'run-failed', 'reader'))).text, 'claude: API Error: 400 no such thing')
})

t.test('where it is not installed, the log has the command that installs it', async (t) => {
  const org = await organisation(t, { agents: { reader: 'runner: { builtin: claude, max_attempts: 1 }\n', pmo: '' } })
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'reader', subject: 'Try' }), org.owner('pmo'))
  await until('it has failed', () => lettersOf(org.root, 'reader').find(({ head }) => head.get('status') === 'failed'))
  t.match((await until('the alert', () => alertOf(org.root, 'run-failed', 'reader'))).text, 'claude: claude is not there in its jail')
})
