import t, { type Test } from 'tap'
import { KEY } from '../support/provider/provider.ts'
import { organisation } from './driver.ts'
import { alertOf, exists, lettersOf, message, until } from './files.ts'
import { type Office, reviewing } from './reviewing.ts'

const RUNNER = ['/opt/pennypost/bin/node', '/opt/pennypost/dist/runners/anthropic.js', '--model', 'claude-opus-4-8']

/** The command line that `builtin: anthropic` stands for, at a provider of the test's own. */
const agent = (url: string, ...options: string[]): string =>
  `network: full\nrunner: { command: [/usr/bin/env, "ANTHROPIC_BASE_URL=${url}", ANTHROPIC_AUTH_TOKEN=${KEY}, ${[...RUNNER, ...options].map((word) => JSON.stringify(word)).join(', ')}] }\n`

async function isReviewed(t: Test, office: Office, reads = 1): Promise<void> {
  const { review, org } = office
  t.equal((await office.settled()).head.get('status'), 'done')
  t.same(office.ledger(), review.decisions, 'each decided once, on what was decided before')
  t.ok(
    review.reads().every((n) => n >= 1 && n <= reads),
    `read: ${review.reads().join(' ')}`,
  )
  const reply = await until('the reply', () => office.replies()[0])
  t.equal(reply.body.toString(), `Reviewed.\n${review.decisions.join('\n')}`)
  t.equal(office.task()?.head.get('progress'), 'all sections reviewed')
  t.notOk(exists(org.at('workspaces/reader/home/.anthropic', `${office.task()?.id}.jsonl`)), 'nothing is left of the conversation')
  const id = office.task()?.id ?? ''
  for (const { body } of office.provider.seen.filter(({ path }) => path.startsWith('/v1/messages')))
    t.ok(body?.includes('You are reader.') && body.includes(id), 'each request has the role and the message')
}

t.test('a task goes from the mailbox to a settled reply', async (t) => {
  const office = await reviewing(t, { agent })
  office.begin()
  await isReviewed(t, office)
  t.same(
    office.review.steps.filter(({ kind }) => kind === 'checkpoint'),
    [],
  )
  t.match(office.log(), 'DECISION 12 of paper', 'what it says on its way is in the log')
})

t.test('when its context is nearly full it begins anew by its own checkpoint, and goes on at the next section', async (t) => {
  const office = await reviewing(t, { agent: (url) => agent(url, '--context-window', '8000'), review: { characters: 6_000 } })
  office.begin()
  // What was read just before the checkpoint is read again: it was not decided.
  await isReviewed(t, office, 2)
  const known = office.review.steps.flatMap((step) => (step.kind === 'checkpoint' ? [step.known] : []))
  t.ok(known.length >= 2, `checkpoints at ${known.join(' ')}`)
  t.match(office.log(), /checkpoint written to home\/checkpoint\.md \(\d+ of 12 sections\)/)
  t.match(await office.org.as('reader', 'cat home/checkpoint.md'), `message: ${office.task()?.id}\n`)
})

t.test('killed in the middle, it goes on where it was', async (t) => {
  let killed = false
  const office = await reviewing(t, {
    agent,
    review: {
      before: async (step) => {
        if (killed || step.kind !== 'read' || step.section !== 7) return undefined
        killed = true
        // The daemon ends all that it started.
        void office.org.end('SIGKILL')
        return { kind: 'hang' }
      },
    },
  })
  office.begin()
  await until('it was killed', () => killed && !office.org.running(), 60_000)
  t.same(office.ledger(), office.review.decisions.slice(0, 6))
  await office.org.up()
  await isReviewed(t, office)
  t.match(office.log(), /going on with \d+ turns of the run before/)
})

t.test('a provider that cannot be asked just now costs no attempt', async (t) => {
  const office = await reviewing(t, { agent })
  office.provider.control.next(...Array.from({ length: 5 }, () => ({ kind: 'error', status: 529 }) as const))
  office.begin()
  await until('it has given up once', () => office.task() && /--- exit 75/.test(office.log()), 60_000)
  t.match(office.log(), /the model could not be asked \(529 .*Overloaded.*\); it is tried again later/)
  await isReviewed(t, office)
})

t.test('what it cannot do ends with a sentence that says why', async (t) => {
  const wrong = agent('http://127.0.0.1:1').replace('] }', ', --max-tokens, none], max_attempts: 1 }')
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: {
      alone: 'runner: { builtin: anthropic, max_attempts: 1 }\nnetwork: none\n',
      free: 'runner: { builtin: anthropic, max_attempts: 1 }\njail: none\n',
      wrong,
      pmo: '',
    },
  })
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: '[alone, free, wrong]', subject: 'Try' }), org.owner('pmo'))
  const none = 'anthropic: there is no model gateway for this run'
  const sentences = { alone: none, free: none, wrong: 'anthropic: none is no whole number' }
  for (const [name, sentence] of Object.entries(sentences)) {
    await until(`${name} has failed`, () => lettersOf(org.root, name).find(({ head }) => head.get('status') === 'failed'))
    t.match((await until('the alert', () => alertOf(org.root, 'run-failed', name))).text, sentence)
  }
})
