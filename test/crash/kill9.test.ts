import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import tap from 'tap'
import { accounting, isTrue, type Organisation, organisation } from '../e2e/driver.ts'
import { alertsOf, filesIn, heldFiles, lettersOf, message, pause, sentBy, until } from '../e2e/files.ts'

const KILLS = 200
const AGENTS = ['a', 'b', 'c', 'd', 'e', 'f']
/** Drops between two kills. */
const LOAD = 24

/** What was dropped, by the token in its body, and who must have it in the end. */
type Book = { expected: Map<string, readonly string[]>; drops: number; repeats: number; held: number }

/** Enough of a long list to see what happened. */
function few(all: readonly string[]): string[] {
  return all.length > 12 ? [...all.slice(0, 12), `… ${all.length} in all`] : [...all]
}

function body(token: string): string {
  return `${token}\r\n${'x'.repeat((token.length * 37) % 900)}\n${'line of some length\n'.repeat(token.length % 7)}no end`
}

function dropLoad(org: Organisation, book: Book, cycle: number): void {
  for (let i = 0; i < LOAD; i++) {
    const token = `token-${cycle}-${i}`
    const to = AGENTS[(cycle + i) % AGENTS.length] ?? ''
    const from = AGENTS[(cycle + i + 1) % AGENTS.length] ?? ''
    const other = AGENTS[(cycle + i + 2) % AGENTS.length] ?? ''
    book.drops++
    if (i === 0) {
      org.drop(`workspaces/${from}/outbox/${token}.md`, message({ to: 'nobody', subject: token }, body(token)))
      book.held++
      continue
    }
    book.expected.set(token, i === 1 ? [to, other] : [to])
    if (i === 1) org.drop(`spool/${token}.md`, message({ to: `[${to}, ${other}]`, subject: token }, body(token)))
    else if (i === 2) {
      // a sender that isn't sure drops again
      const text = message({ to, ref: token, subject: token }, body(token))
      org.drop(`workspaces/${from}/outbox/${token}.md`, text)
      org.drop(`workspaces/${from}/outbox/${token}-again.md`, text)
      book.drops++
      book.repeats++
    } else if (i % 3 === 0) org.drop(`spool/${token}.md`, message({ to, subject: token, priority: 'urgent' }, body(token)))
    else if (i % 3 === 1) org.drop(`spool/${to}/${token}.md`, body(token))
    else org.drop(`workspaces/${from}/outbox/${token}.md`, message({ to, subject: token }, body(token)))
  }
}

/** By name: reading thousands of letters each time would take the time that the daemon needs. */
function mailIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.md') && !file.startsWith('.')) : []
}

/** A holder at work: claims some of its mail and settles some of what it claimed. */
function work(org: Organisation, holder: string): void {
  const box = org.at('workspaces', holder)
  const step = (from: string, to: string): void => {
    for (const file of mailIn(`${box}/${from}`).slice(0, 4)) {
      try {
        renameSync(`${box}/${from}/${file}`, `${box}/${to}/${file}`)
      } catch {
        // the daemon was exchanging it in this moment: a holder tries again later
      }
    }
  }
  step('cur', 'done')
  step('new', 'cur')
}

tap.test('200 kill -9 at random moments under load: in the end every message is exactly once where it belongs', async (t) => {
  const org = await organisation(t, { agents: Object.fromEntries(AGENTS.map((name) => [name, ''])) })
  tap.setTimeout(420_000)
  const start = performance.now()
  await org.up()
  const bootMs = performance.now() - start
  const book: Book = { expected: new Map(), drops: 0, repeats: 0, held: 0 }
  const half: string[] = []
  /** Looked at as soon as no daemon could hide what it left. */
  const seen = new Set<string>()
  let broken = 0
  for (let kill = 0; kill < KILLS; kill++) {
    if (!org.running()) org.launch()
    const lifeMs = randomInt(30, Math.round(Math.min(1500, bootMs) + 200))
    const killAt = performance.now() + lifeMs
    dropLoad(org, book, kill)
    while (performance.now() < killAt) {
      work(org, AGENTS[kill % AGENTS.length] ?? '')
      await pause(10)
    }
    if (!org.running()) broken++
    else await org.end('SIGKILL')
    for (const path of AGENTS.flatMap((name) => mailIn(org.at('workspaces', name, 'new')).map((file) => org.at('workspaces', name, 'new', file)))) {
      if (seen.has(path)) continue
      seen.add(path)
      const text = readFileSync(path)
      if (!text.includes('\nid: ') || !(text.subarray(-6).equals(Buffer.from('no end')) || text.includes('\nkind: bounce\n'))) half.push(path)
    }
  }
  t.equal(broken, 0, 'the daemon never ended by itself')
  t.same(few(half), [], 'nothing was ever half visible')
  await org.up()
  const drained = (): boolean =>
    filesIn(org.at('spool')).length === 0 &&
    AGENTS.every((name) => filesIn(org.at('spool', name)).length + filesIn(org.at('workspaces', name, 'outbox')).length === 0)
  await until('the drop folders are empty', drained, 60_000)

  const expectedCopies = [...book.expected.values()].reduce((sum, names) => sum + names.length, 0)
  let line = await accounting(org)
  for (let i = 0; i < 40 && (line.drops < book.drops || line.copies < expectedCopies); i++) line = await accounting(org)
  const lost: string[] = []
  const twice: string[] = []
  const changed: string[] = []
  const all = new Map(AGENTS.map((name) => [name, lettersOf(org.root, name).filter((one) => one.head.get('kind') !== 'bounce')]))
  const found = new Map<string, number>()
  const ids = new Set<string>()
  for (const [name, letters] of all) {
    for (const letter of letters) {
      const token = letter.body.toString().split('\r\n')[0] ?? ''
      if (ids.has(letter.id)) twice.push(`id ${letter.id}`)
      ids.add(letter.id)
      found.set(`${token} ${name}`, (found.get(`${token} ${name}`) ?? 0) + 1)
      if (letter.body.toString() !== body(token)) changed.push(letter.path)
    }
  }
  for (const [token, names] of book.expected) for (const name of names) if (!found.has(`${token} ${name}`)) lost.push(`${token} for ${name}`)
  for (const [key, count] of found) if (count > 1) twice.push(`${key}: ${count} times`)
  t.same(few(lost), [], 'nothing is lost')
  t.same(few(twice), [], 'nothing is there twice')
  t.same(few(changed), [], 'no body changed')
  t.equal(ids.size, expectedCopies, 'and nothing else')
  t.equal(heldFiles(org.root).length, book.held, 'what cannot be delivered is held, each once')
  t.ok(isTrue(line), `the accounting line is true: ${JSON.stringify(line)}`)
  t.match(line, { drops: book.drops, admitted: book.expected.size, repeats: book.repeats, held: book.held, copies: expectedCopies })

  // status and folder agree again, and the mirrors follow
  const agree = (): boolean =>
    AGENTS.every((name) =>
      lettersOf(org.root, name).every(
        (one) => !one.head.has('status') || { open: 'new', in_progress: 'cur', done: 'done' }[one.head.get('status') ?? ''] === one.folder,
      ),
    )
  await until('status and folder agree', agree)
  const stale = (): string[] => {
    const state = new Map(
      AGENTS.flatMap((name) => lettersOf(org.root, name).map((one) => [one.id, one.head.get('status')] as const)).filter(([id]) => ids.has(id)),
    )
    const mirrors = new Map([...AGENTS, 'operator'].flatMap((name) => sentBy(org.root, name)).map((one) => [one.id, one.head.get('status')] as const))
    return [...state]
      .filter(([id, status]) => mirrors.get(id) !== status)
      .map(([id, status]) => `${id} is ${status}, its mirror ${mirrors.get(id) ?? 'is missing'}`)
  }
  // they follow within 1 s each; thousands at once on a loaded machine may take longer, but they never stand still
  let left = stale().length
  for (let quiet = 0; left > 0 && quiet < 10; await pause(1000)) {
    const now = stale().length
    quiet = now < left ? 0 : quiet + 1
    left = now
  }
  t.same(few(stale()), [], 'every copy has a mirror that is current')
  // a machine this busy may well be late with the canary
  const others = alertsOf(org.root).filter((alert) => alert.code !== 'unknown-recipient' && alert.code !== 'canary-late')
  t.same(
    others.map((alert) => `${alert.file}: ${alert.body.toString()}`),
    [],
    'no alert but for what was held',
  )
  t.comment(`${KILLS} kills in ${Math.round((performance.now() - start) / 1000)} s; ${book.drops} drops; boot took ${Math.round(bootMs)} ms`)
})
