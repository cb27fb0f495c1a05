/** Nothing is shown to the provider that ends a context before a copy of it is kept. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createSeals, type SealedRequest } from '../../src/gateway/index.ts'
import { realClock } from '../../src/system/clock.ts'
import { realDisk } from '../../src/system/disk.ts'
import { chooseLease } from '../../src/system/lease.ts'
import type { Clock, Disk } from '../../src/system/types.ts'
import { makeHandClock } from '../hand-clock.ts'
import { house, MODEL } from './house.ts'

const ID = '019aaaaa-0000-7000-8000-000000000001'
const HEADERS = { 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'x-claude-code-session-id': 'session-1' }
const SUMMARISE = 'Your task is to create a detailed summary of the conversation so far, paying close attention …'
const FLUSH = 'Pre-compaction memory flush. Store durable memories now.'
const bodyOf = (more: object): string => JSON.stringify({ model: MODEL, max_tokens: 100, ...more }, null, 1)
const saying = (content: string, more: object = {}): string => bodyOf({ messages: [{ role: 'user', content }], ...more })
const ask = (url: string, body: string): Promise<Response> => fetch(`${url}/v1/messages`, { method: 'POST', headers: HEADERS, body })

function seals(t: Test, change: (disk: Disk) => Partial<Disk> = () => ({}), clock: Clock = realClock) {
  const folder = t.testdir()
  const real = realDisk(undefined, chooseLease(undefined, folder))
  const sealed: SealedRequest[] = []
  const logged: string[] = []
  const disk = { ...real, ...change(real) }
  const made = createSeals({ clock, disk, log: (_, what) => void logged.push(what), folder, sealed: (one) => void sealed.push(one) })
  const files = (agent = 'legal'): string[] => readdirSync(`${folder}/${agent}`).sort()
  return { seals: made, folder, sealed, logged, files, read: (file = '', agent = 'legal') => readFileSync(`${folder}/${agent}/${file}`, 'utf8') }
}

t.test('each request of a client that compacts is kept byte by byte before the provider sees it', async (t) => {
  let seenBefore = -1
  const kept = seals(t, (real) => ({
    syncPath: async (path) => {
      await real.syncPath(path)
      await new Promise((resolve) => setTimeout(resolve, 50))
      seenBefore = upstream.seen.length
    },
  }))
  const { url, upstream } = await house(t, { options: { keepBodies: true }, caller: { message: ID }, seals: kept.seals })
  const asked = {
    'claude-code': saying(`CRITICAL: Respond with TEXT ONLY.\n\n${SUMMARISE}`),
    'openclaw-flush': saying(FLUSH, { tools: [{ name: 'read', input_schema: { type: 'object' } }] }),
    'openclaw-summary': saying('<conversation>…</conversation>', { system: 'You are a context summarization assistant. Your task is …' }),
  }
  for (const [n, [why, body]] of Object.entries(asked).entries()) {
    t.equal((await ask(url, body)).status, 200)
    t.equal(seenBefore, n, 'the provider had not seen it')
    t.match(kept.sealed[n], { agent: 'legal', message: ID, session: 'session-1', why })
    t.equal(kept.read(kept.sealed[n]?.file), body)
    t.equal(upstream.seen[n]?.body?.toString(), body, 'and it was sent as it came')
    t.match(kept.sealed[n]?.file, new RegExp(`^\\d{8}T\\d{9}Z-${ID}\\.json$`))
    t.equal(statSync(`${kept.folder}/legal/${kept.sealed[n]?.file}`).mode & 0o777, 0o600)
  }
  t.equal((await ask(url, saying('what does a compaction do?'))).status, 200)
  t.equal(kept.sealed.length, 3, 'others are not kept')
  t.equal(kept.files().length, 3, 'and nothing unfinished')
})

t.test('the request that nearly fills the window is kept once, until the context begins anew', async (t) => {
  const kept = seals(t)
  const { url, contexts, upstream } = await house(t, { contextWindow: 10_000, seals: kept.seals, options: { keepBodies: true } })
  const filled = (tokens: number): string => saying('word '.repeat(tokens))
  const whys = (): string[] => kept.sealed.map(({ why }) => why)
  upstream.control.script(({ body }) => ({ kind: 'answer', content: 'ok', inputTokens: Math.round(JSON.stringify(body).length / 5), outputTokens: 10 }))
  for (const tokens of [5_000, 9_100, 9_250]) t.equal((await ask(url, filled(tokens))).status, 200)
  t.same(whys(), ['nearly-full'])
  t.equal(kept.read(kept.sealed[0]?.file), filled(9_250))
  await ask(url, filled(9_400))
  await ask(url, filled(9_500))
  t.same(whys(), ['nearly-full'], 'once')
  await ask(url, saying(SUMMARISE))
  t.ok(contexts.at(-1)?.isNew)
  await ask(url, filled(1_000))
  t.same(whys(), ['nearly-full', 'claude-code'])
  await ask(url, filled(9_600))
  t.same(whys(), ['nearly-full', 'claude-code', 'nearly-full'], 'and again in the next')
})

t.test('a side request that comes while the context is nearly full is not taken for it', async (t) => {
  const kept = seals(t)
  const { url, upstream } = await house(t, { contextWindow: 10_000, seals: kept.seals })
  upstream.control.script(({ body }) => ({ kind: 'answer', content: 'ok', inputTokens: JSON.stringify(body).length > 10_000 ? 9_300 : 50, outputTokens: 10 }))
  // Its first estimate is far too low.
  await ask(url, saying('12 '.repeat(8_000)))
  await ask(url, saying('a title for this?'))
  t.same(kept.sealed, [])
  const whole = saying('12 '.repeat(8_000), { max_tokens: 101 })
  await ask(url, whole)
  t.equal(kept.read(kept.sealed[0]?.file), whole)
})

t.test('a disk that is full, or slow, keeps no request waiting', async (t) => {
  const full = seals(t, () => ({
    create: () => {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    },
  }))
  const { url } = await house(t, { seals: full.seals })
  t.equal((await ask(url, saying(SUMMARISE))).status, 200)
  t.same([full.sealed, full.files()], [[], []])
  t.match(full.logged, [/could not be sealed/])

  const clock = makeHandClock(Date.parse('2026-11-22T10:00:00Z'))
  let finish = (): void => undefined
  const untilFinished = (): Promise<void> =>
    new Promise((resolve) => {
      finish = resolve
    })
  const slow = seals(t, (real) => ({ syncPath: (path) => untilFinished().then(() => real.syncPath(path)) }), clock)
  const resolved: string[] = []
  const sealing = slow.seals.seal({ agent: 'legal' as Name, message: ID }, undefined, 'claude-code', Buffer.from('{}')).then(() => resolved.push('sent'))
  await clock.turn(1_999)
  t.same(resolved, [])
  await clock.turn(1)
  await sealing
  t.match(slow.logged, [/takes long/])
  t.same(slow.sealed, [])
  for (let n = 0; n < 100 && slow.sealed.length === 0; n++) {
    finish()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.equal(slow.sealed.length, 1, 'what was being written is finished all the same')
  t.equal(slow.read(slow.sealed[0]?.file), '{}')
})

t.test('the last twenty of each agent are kept, in the order of time whatever the clock says, and a loop does not wear out the disk', async (t) => {
  const clock = makeHandClock(Date.parse('2026-11-22T10:00:00Z'))
  const kept = seals(t, undefined, clock)
  mkdirSync(`${kept.folder}/legal`)
  const seal = (n: number, agent = 'legal'): Promise<void> =>
    kept.seals.seal({ agent: agent as Name, message: undefined }, `s-${n}`, 'claude-code', Buffer.from(`${n}`))
  for (let n = 0; n < 25; n++) {
    await seal(n)
    clock.step(n === 10 ? -3_600_000 : 0)
    await clock.turn(6_000)
  }
  await seal(0, 'pmo')
  t.same(
    kept.files().map((file) => kept.read(file)),
    Array.from({ length: 20 }, (_, n) => `${n + 5}`),
  )
  t.equal(kept.files('pmo').length, 1)
  await clock.turn(60_000)
  const before = kept.sealed.length
  for (let n = 0; n < 30; n++) await seal(n)
  t.equal(kept.sealed.length - before, 12)
  t.equal(kept.logged.length, 1, 'which is said once')
  await clock.turn(60_000)
  await seal(99)
  t.equal(kept.read(kept.files().at(-1)), '99', 'a minute later it goes on')
})

t.test('what is no name becomes none', async (t) => {
  const kept = seals(t)
  await kept.seals.seal({ agent: 'legal' as Name, message: '../../x' }, '.hidden/../y', 'claude-code', Buffer.from('{}'))
  t.match(kept.files(), [/^\d{8}T\d{9}Z-unknown\.json$/])
})

t.test('what a process was writing when it was killed is removed by the next one, and nothing else', async (t) => {
  const stamp = '20261122T120000000Z'
  const folder = t.testdir({
    legal: { [`.${stamp}-${ID}.json.tmp`]: 'half', [`${stamp}-${ID}.json`]: 'whole', '.other.tmp': 'kept' },
    pmo: { [`.${stamp}-unknown.json.tmp`]: '' },
    [`.${stamp}-${ID}.json.tmp`]: 'in no folder of ours',
  })
  const logged: string[] = []
  const given = { clock: realClock, log: (_: unknown, what: string) => void logged.push(what), sealed: () => undefined }
  const disk = realDisk(undefined, chooseLease(undefined, folder))
  createSeals({ ...given, disk, folder })
  t.same(readdirSync(`${folder}/legal`).sort(), ['.other.tmp', `${stamp}-${ID}.json`])
  t.same(readdirSync(`${folder}/pmo`), [])
  t.equal(readdirSync(folder).length, 3)
  t.same(logged, [])
  createSeals({ ...given, disk, folder: `${folder}/none` })
  t.equal(logged.length, 1, 'what cannot be looked at is said, and the gateway begins all the same')
})
