import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { formatId, type MessageId } from '../../src/core/ids.ts'
import { deliver, idOf, objects, organisation, penny, write } from './called.ts'
import { listen } from './spoken.ts'

const id = idOf('aaaa1111', 1)
const CSI = '\u001b[31m'

/** An admission as the journal has it, of a message that answers `id`. */
function answered(reply: string, more: object = {}): string {
  const copies = [{ id: reply, to: 'operator', kind: 'note', file: 'f', subject: 'Re: Hello', priority: 'normal', rank: 3 }]
  const rest = { from: 'legal', via: 'agent', sha256: '', thread: id, hops: 1, name: 'b.md', in_reply_to: id, copies, ...more }
  return `${JSON.stringify({ at: '2026-11-21T08:01:00.000Z', event: 'admitted', drop: idOf('dddd0001', 2), ...rest })}\n`
}

t.test('send --wait prints the newest reply, of which nothing reaches a terminal as it is, or the result where none was written', async (t) => {
  const root = organisation(t)
  // What the daemon says to legal while it works on it, such as an order to write a checkpoint, is no reply.
  const order = answered(idOf('bbbb0003', 5), { from: 'pennypost', internal: true })
  write(`${root}/.penny/journal/00000001-20261121T080000Z.jsonl`, answered(idOf('bbbb0001', 3)) + answered(idOf('bbbb0002', 4), { internal: true }) + order)
  let copy: object = { id, to: 'legal', status: 'done' }
  const asked = await listen(t, root, ({ verb, settled, id: read }) => {
    if (verb === 'wait') return [{ end: true, ok: true, copies: [settled === true ? copy : { id, to: 'legal', status: 'open' }] }]
    return [{ end: true, ok: true, text: `---\nid: ${String(read)}\n---\nAll is fine.\r\n${CSI}red\r\n` }]
  })
  const send = (...more: string[]) => penny(['send', 'legal', '-s', 'Hello', '-m', 'x', '--wait', '--root', root, ...more])
  const first = await send()
  t.equal(first.status, 0)
  t.equal(first.err, 'legal: done\n')
  t.match(first.out, new RegExp(`^${id}\nAll is fine\\.\n[^\u001b]+red\n$`))
  t.match(asked.at(-1), { verb: 'read', id: idOf('bbbb0002', 4) }, 'the newest')
  const drop = (asked[0] as { drop?: { ref?: string } }).drop
  t.match(asked[1], { verb: 'wait', drop, settled: true }, 'the very drop is waited for')

  rmSync(`${root}/.penny/journal/00000001-20261121T080000Z.jsonl`)
  copy = { id, to: 'legal', status: 'failed', result: 'no such file' }
  const failed = await send()
  t.same(failed, { status: 1, out: `${id}\nno such file\n`, err: 'legal: failed\n' })
  t.match(objects((await send('--json')).out).at(-1), { schema: 'penny/send/1', state: 'settled', id, status: 'failed', result: 'no such file', reply: null })
  copy = { id, to: 'legal', status: 'failed' }
  t.match((await send()).err, new RegExp(`^legal: failed\n  fix: penny log .*${id}   # says why\n$`), 'where nothing was left, the command that tells')
})

/** What a daemon does with drops of legal: each becomes a message of pmo's, with a mirror. */
async function admit(root: string, status: string, result = ''): Promise<{ id: string; settle: (status: string, result?: string) => void }> {
  const outbox = `${root}/workspaces/legal/outbox`
  let name: string | undefined
  while (name === undefined) {
    await wait(5)
    name = readdirSync(outbox).find((one) => one.endsWith('.md'))
  }
  const ref = /^ref: (.+)$/m.exec(readFileSync(`${outbox}/${name}`, 'utf8'))?.[1] ?? ''
  const made: MessageId = formatId(Date.now(), 0, Buffer.alloc(8))
  const settle = (now: string, outcome = ''): void => {
    deliver(root, { id: made, holder: 'legal', folder: 'sent', head: { ref, from: 'legal', to: 'pmo', status: now, result: outcome } })
  }
  settle(status, result)
  rmSync(`${outbox}/${name}`)
  return { id: made, settle }
}

t.test('an agent waits by its own folders: the mirror says when, the reply lies in its mailbox', async (t) => {
  const root = organisation(t)
  const how = { cwd: `${root}/workspaces/legal/home` }
  const waiting = penny(['send', 'pmo', '-s', 'Hello', '-m', 'x', '--wait'], how)
  const { id: sent, settle } = await admit(root, 'open')
  const later = (order: number): string => formatId(Date.now() + order, 0, Buffer.alloc(8))
  const reply = (order: number, folder: string, body: string, to = sent): string =>
    deliver(root, { id: later(order), holder: 'legal', folder, head: { kind: 'note', status: '', from: 'pmo', in_reply_to: to }, body })
  reply(1, 'new', 'The first word.\n')
  reply(3, 'new', 'Another thing.\n', idOf('ffff'))
  reply(2, 'done', 'The last word.\n')
  settle('done')
  t.same(await waiting, { status: 0, out: `${sent}\nThe last word.\n`, err: 'pmo: done\n' })
})

t.test('without a reply it prints the result; a task that was cancelled is a negative answer', async (t) => {
  const root = organisation(t)
  const how = { cwd: `${root}/workspaces/legal/home` }
  const waiting = penny(['send', 'pmo', '-s', 'Hello', '-m', 'x', '--wait'], how)
  const { id: sent, settle } = await admit(root, 'in_progress')
  // The mirror may be replaced in the moment in which it is read.
  rmSync(`${root}/workspaces/legal/sent`, { recursive: true })
  await wait(300)
  settle('cancelled', 'too late')
  t.same(await waiting, { status: 1, out: `${sent}\ntoo late\n`, err: 'pmo: cancelled\n' })
})

t.test('a task that was settled before anybody looked is told with its result, too', async (t) => {
  const root = organisation(t)
  const waiting = penny(['send', 'pmo', '-s', 'Hello', '-m', 'x', '--wait'], { cwd: `${root}/workspaces/legal/home` })
  const { id: sent } = await admit(root, 'done', 'at once')
  t.same(await waiting, { status: 0, out: `${sent}\nat once\n`, err: 'pmo: done\n' })
})

t.test('a run is told not to wait, and nobody waits where no daemon is', async (t) => {
  const root = organisation(t)
  const run = await penny(['send', 'pmo', '-m', 'x', '--wait'], { cwd: `${root}/workspaces/legal/home`, env: { PENNY_RUN: idOf('1') } })
  t.equal(run.status, 75)
  t.match(run.err, /set blocked_on/)
  t.equal((await penny(['send', 'pmo', '-m', 'x', '--wait', '--root', root])).status, 69)
  t.same([...readdirSync(`${root}/workspaces/legal/outbox`), ...readdirSync(`${root}/spool`)].sort(), ['files', 'files'])
})
