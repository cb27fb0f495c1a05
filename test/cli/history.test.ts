import { appendFileSync, chmodSync } from 'node:fs'
import t, { type Test } from 'tap'
import { entriesSince, followJournal } from '../../src/cli/history.ts'
import { deliver, idOf, objects, openOrganisation, organisation, penny, pennyOfAStranger, write } from './called.ts'
import { listen } from './spoken.ts'

const id = idOf('aaaa1111', 1)
const drop = idOf('dddd0000', 1)
const at = (minute: number): string => `2026-11-21T08:${String(minute).padStart(2, '0')}:00.000Z`
const answered = (minute: number): string => `${JSON.stringify({ at: at(minute), event: 'answered', id, reply: id })}\n`
const journal = (root: string, name: string, text: string): void => write(`${root}/.penny/journal/${name}.jsonl`, text)

t.test('who follows the journal gets each entry once and whole, over segments, and nothing of before', async (t) => {
  const root = organisation(t)
  const first = `${root}/.penny/journal/00000001-20261121T080000Z.jsonl`
  const half = answered(2).slice(0, 20)
  write(first, answered(1) + half)
  const news = followJournal(root)
  const minutes = (): string[] => news().map((entry) => entry.at)
  t.same(minutes(), [])
  appendFileSync(first, answered(2).slice(20))
  t.same(minutes(), [at(2)], 'one that was half written is told when it is whole')
  t.same(minutes(), [])
  appendFileSync(first, answered(3) + answered(4) + half)
  journal(root, '00000002-20261121T090000Z', answered(5))
  t.same(minutes(), [at(3), at(4), at(5)])
  appendFileSync(first, 'spoiled by a power cut\n')
  t.same(minutes(), [])
  t.same(followJournal(`${root}/policies`)(), [], 'where nothing was ever written there is nothing')
})

t.test('what happened since a moment is in the segments that had not ended then, and in all of those around a step of the clock', async (t) => {
  const root = organisation(t)
  journal(root, '00000001-20261101T080000Z', answered(1).replace('2026-11-21', '2026-11-01'))
  journal(root, '00000002-20261121T080000Z', answered(2))
  // The clock was set back by two months while the second was written.
  journal(root, '00000003-20260921T080000Z', answered(3).replace('2026-11-21', '2026-09-21'))
  journal(root, '00000004-20260921T090000Z', answered(4).replace('2026-11-21', '2026-09-21'))
  t.same(
    (await entriesSince(root, Date.parse(at(0)))).map((entry) => entry.at),
    [at(2)],
  )
  t.equal((await entriesSince(root, Date.parse('2026-01-01'))).length, 4)
})

const COPY = { id, to: 'legal', kind: 'task', file: 'f', stamp: { id, to: 'legal' } }
const SEALED = {
  act: 'admit',
  drop,
  at: at(0),
  from: 'pmo',
  via: 'agent',
  name: 'a.md',
  text: '---\nto: legal\n---\nAs it \u001b[31mwas\n',
  stamp: { from: 'pmo' },
  copies: [COPY],
}

t.test('the original is read from the seals with the daemon down, and asked for with one; past its time it is not there', async (t) => {
  const root = organisation(t)
  deliver(root, { id, holder: 'legal', folder: 'new', body: 'As it is now\n' })
  const original = (...more: string[]) => penny(['show', '1111', '--original', '--root', root, ...more])
  const gone = await original()
  t.equal(gone.status, 66)
  t.match(gone.err, /retention/)
  write(`${root}/.penny/sealed/00000001-20261121T080000Z.jsonl`, `${JSON.stringify({ act: 'hold', drop: id })}x\n${JSON.stringify(SEALED)}\n`)
  const { status, out } = await original()
  t.equal(status, 0)
  t.match(out, /^---\nto: legal\n[\s\S]*from: pmo\n/)
  t.ok(out.endsWith('\n---\nAs it \u001b[31mwas\n'), 'byte for byte')
  t.match(objects((await original('--json')).out), [{ schema: 'penny/show/1', id, text: out }])

  const asked = await listen(t, root, ({ verb }) => [verb === 'find' ? { end: true, ok: true, ids: [id] } : { end: true, ok: true, text: 'from the daemon\n' }])
  t.equal((await original()).out, 'from the daemon\n')
  t.match(asked.at(-1), { verb: 'original', id })
  const own = await penny(['show', '1111', '--original'], { cwd: `${root}/workspaces/legal` })
  t.equal(own.status, 77, 'nobody but an operator')
})

/** A journal that this user may not read, and a daemon that it may speak to, or not. */
async function closed(t: Test, socketMode: number) {
  const root = openOrganisation(t)
  journal(root, '00000001-20261121T080000Z', answered(1))
  const asked = await listen(t, root, ({ verb }) => [
    ...(verb === 'journal' ? [JSON.parse(answered(1)), JSON.parse(answered(2))] : []),
    { end: true, ok: true },
  ])
  // Whatever the command loads, it loads here: a stranger may not read this checkout.
  for (const args of [['events', '--since', '2026-11-21'], ['report']]) await penny([...args, '--root', root])
  chmodSync(`${root}/.penny/journal`, 0)
  chmodSync(`${root}/.penny/run/daemon.sock`, socketMode)
  t.teardown(() => chmodSync(`${root}/.penny/journal`, 0o700))
  return { root, asked, events: (...more: string[]) => pennyOfAStranger(['events', '--since', '2026-11-21', '--json', ...more, '--root', root]) }
}

t.test('who may not read the journal is told by the daemon, and may follow it there', async (t) => {
  const { asked, events } = await closed(t, 0o777)
  const told = await events()
  t.equal(told.status, 0, told.err)
  t.equal(objects(told.out).length, 2)
  t.match(asked.at(-1), { verb: 'journal', past: true, follow: false, since: '2026-11-21T00:00:00.000Z' })
  t.equal(objects((await events('-f')).out).length, 2)
  t.match(asked.at(-1), { verb: 'journal', past: true, follow: true })
})

t.test('who may do neither is refused with 77 and what would help', async (t) => {
  const { events } = await closed(t, 0)
  for (const { status, err } of [await events(), await events('-f')]) {
    t.equal(status, 77)
    t.match(err, /you may not[\s\S]*fix: (sudo \S*penny|chmod u\+rwX \S*\/(journal|daemon\.sock)\n)/)
  }
})
