/** An organisation whose agent `reader` reviews twelve sections with one of the runners that come with pennypost, asking the fake provider. */
import { existsSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type Options, type Provider, startProvider } from '../support/provider/provider.ts'
import { createReview, type Review, type ReviewOptions } from '../support/review.ts'
import { type Organisation, organisation, type Shape } from './driver.ts'
import { type Letter, lettersOf, message, until } from './files.ts'

export type Office = Readonly<{
  org: Organisation
  provider: Provider
  review: Review
  /** Lines of the reader's file decisions.md. */
  ledger: () => string[]
  task: () => Letter | undefined
  /** What `reader` answered to `pmo`. */
  replies: () => Letter[]
  log: () => string
  /** Drops the task. */
  begin: () => void
  settled: (boundMs?: number) => Promise<Letter>
}>

type Given = Readonly<{
  /** Lines of the agent's file, from the provider's address. */
  agent: (url: string) => string
  review?: ReviewOptions
  provider?: Options
  shape?: Shape
}>

export async function reviewing(t: Test, given: Given): Promise<Office> {
  const review = createReview({ folder: '/ws/home/sections', ledger: '/ws/home/decisions.md', ...given.review })
  const provider = await startProvider({ keepBodies: true, ...given.provider })
  t.teardown(() => provider.close())
  provider.control.script(review.script)
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { reader: given.agent(provider.url), pmo: '' },
    ...given.shape,
  })
  await org.up()
  await org.as('reader', 'mkdir home/sections')
  for (const [name, text] of Object.entries(review.files)) await org.as('reader', 'printf %s "$2" > "home/sections/$1"', name, text)
  const task = (): Letter | undefined => lettersOf(org.root, 'reader').find(({ head }) => head.get('from') === 'pmo')
  return {
    org,
    provider,
    review,
    task,
    ledger: () => textOf(org.at('workspaces/reader/home/decisions.md')).trimEnd().split('\n'),
    replies: () => lettersOf(org.root, 'pmo').filter(({ head }) => head.get('from') === 'reader'),
    log: () => textOf(org.at('workspaces/reader/runs', `${task()?.id}.log`)),
    begin: () => void org.drop('workspaces/pmo/outbox/task.md', message({ to: 'reader', subject: 'Review' }, review.task), org.owner('pmo')),
    settled: (boundMs = 60_000) =>
      until(
        'the task is settled',
        () => {
          const letter = task()
          return letter && ['done', 'failed'].includes(letter.head.get('status') ?? '') ? letter : undefined
        },
        boundMs,
      ),
  }
}

/** Empty where it is not there yet. */
function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
