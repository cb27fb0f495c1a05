/** The test that matters: a review of twelve sections whose run is killed after any of them, by a whole daemon, in jails, through the gateway. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { KEY, startProvider } from '../support/provider/provider.ts'
import { createReview, type Review } from '../support/review.ts'
import { organisation } from './driver.ts'
import { alertsOf, exists, lettersOf, message, processesFor, until } from './files.ts'
import { freePort } from './ports.ts'

const SECTIONS = 12
/** Enough for four sections or so: each review meets the cliff, too. */
const WINDOW = 9_000

t.setTimeout(300_000)

/** Once; and once more the one that was just read, and not decided yet, when the context was full: the model forgets its text. */
function readsOf({ steps }: Review): number[] {
  const midway = steps.flatMap((step, i) => (step.kind === 'read' && steps[i + 1]?.kind === 'checkpoint' ? [step.section] : []))
  return Array.from({ length: SECTIONS }, (_, i) => 1 + midway.filter((section) => section === i + 1).length)
}

t.test(
  'killed after any of twelve sections, and with its context full in between, a review goes on with the next: each is decided once, and no decision is lost',
  async (t) => {
    const killed: number[] = []
    const ids = new Map<string, string>()
    const reviews = Array.from({ length: SECTIONS }, (_, i) => {
      const [k, name] = [i + 1, `reader-${'abcdefghijkl'[i]}`]
      const review = createReview({
        name,
        characters: 3_000,
        before: async (step) => {
          const isNext = k === SECTIONS ? step.kind === 'finish' : step.kind === 'read' && step.section === k + 1
          if (!isNext || killed.includes(k)) return undefined
          killed.push(k)
          const id = await until('its message is known', () => ids.get(name))
          for (const pid of processesFor(id)) process.kill(pid, 'SIGKILL')
          return { kind: 'hang' }
        },
      })
      return { name, review }
    })
    const upstream = await startProvider({ latencyMs: 5 })
    t.teardown(upstream.close)
    upstream.control.script(async (asked) => {
      for (const { review } of reviews) {
        const told = await review.script(asked)
        if (told) return told
      }
      return undefined
    })
    const keys = mkdtempSync(join(tmpdir(), 'penny-keys-'))
    t.teardown(() => rmSync(keys, { recursive: true, force: true }))
    chmodSync(keys, 0o755)
    writeFileSync(join(keys, 'main'), `${KEY}\n`, { mode: 0o600 })
    const org = await organisation(t, {
      org: `gateway: { listen: "127.0.0.1:${await freePort()}" }\nwake: { concurrency: 4, stagger: 0s }\n`,
      agents: Object.fromEntries(
        reviews.map(({ name }) => [name, `context_window: ${WINDOW}\nrunner: { builtin: anthropic, max_tokens: 1000, max_attempts: 3 }\n`]),
      ),
      policies: { 'providers/main.yaml': `api: anthropic-messages\nbase_url: ${upstream.url}\nkey_file: ${join(keys, 'main')}\n` },
    })
    await org.up()
    for (const { name, review } of reviews) {
      await until('its home', () => exists(org.at('workspaces', name, 'home', 'AGENTS.md')))
      await org.as(name, 'mkdir home/sections')
      for (const [file, text] of Object.entries(review.files)) org.drop(`workspaces/${name}/home/sections/${file}`, text, org.owner(name))
      org.drop(`spool/${name}/review.md`, message({ to: name, subject: 'review' }, review.task))
      const id = await until('it was delivered', () =>
        lettersOf(org.root, name)
          .find((one) => one.head.get('subject') === 'review')
          ?.head.get('id'),
      )
      ids.set(name, id)
    }
    for (const { name, review } of reviews) {
      const settled = await until(
        `${name} has settled`,
        () => lettersOf(org.root, name).find((one) => one.id === ids.get(name) && one.folder === 'done'),
        200_000,
      )
      t.equal(settled.head.get('status'), 'done', name)
      t.same(
        readFileSync(org.at('workspaces', name, 'home/decisions.md'), 'utf8')
          .trimEnd()
          .split('\n'),
        review.decisions,
        `${name}: decisions`,
      )
      t.same(review.reads(), readsOf(review), `${name}: each section once`)
      t.ok(
        review.steps.some(({ kind }) => kind === 'checkpoint'),
        `${name}: it met the cliff`,
      )
      t.ok(exists(org.at('workspaces', name, 'runs', `${ids.get(name)}.checkpoint.md`)), `${name}: its checkpoint is kept`)
    }
    t.equal(killed.length, SECTIONS)
    t.same(
      alertsOf(org.root).filter(({ code }) => code === 'run-failed' || code === 'checkpoint-missing'),
      [],
    )
  },
)
