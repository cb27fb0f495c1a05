import { appendFileSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Disk } from '../../src/system/types.ts'
import { fails } from '../journal/ground.ts'
import { delivery, office } from './office.ts'

/** The daemon's timers do not keep a process alive. */
async function awake<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => undefined, 1_000)
  return work.finally(() => clearInterval(timer))
}

t.test('each recipient has its copy, the bytes of the body unchanged; the drop is gone and nothing is left over', async (t) => {
  const root = t.testdir()
  const { deliver, dropped, files, text, events } = await office(root)
  const body = 'caf\u00e9 \u{1f600}\r\n\r\nno end'
  writeFileSync(`${root}/spool/a.md`, `---\r\nto: [cfo, legal]\r\n---\r\n${body}`)
  const { mails } = await deliver.deliver(delivery(`---\r\nto: [cfo, legal]\r\n---\r\n${body}`, ['cfo', 'legal']), dropped('spool', 'a.md'))
  for (const mail of mails) {
    t.same(files(`workspaces/${mail.holder}/new`), [mail.file])
    t.ok(text(`workspaces/${mail.holder}/new/${mail.file}`).endsWith(`---\r\n${body}`))
  }
  t.same(files('spool'), ['files', 'held'])
  t.same(files('.penny/staging'), [])
  t.same(
    events.map(({ event }) => event),
    ['admitted', 'delivered', 'delivered'],
  )
})

t.test("attachments are there, under the message's id, and their files are gone", async (t) => {
  const root = t.testdir()
  const { deliver, dropped, files, text, source } = await office(root)
  writeFileSync(`${root}/spool/a.md`, 'x')
  writeFileSync(`${root}/spool/files/c.pdf`, 'contract')
  const fd = openSync(`${root}/spool/files/c.pdf`, 'r')
  const attachments = [{ name: 'c.pdf', fd, source: source('spool/files', 'c.pdf'), letGo: () => undefined }]
  const { mails } = await deliver.deliver(delivery('x', ['cfo', 'legal'], { attachments }), dropped('spool', 'a.md'))
  for (const mail of mails) t.equal(text(`workspaces/${mail.holder}/attachments/${mail.id}/c.pdf`), 'contract')
  t.same(files('spool/files'), [])
})

t.test('an attachment that was written to since it was copied stays', async (t) => {
  const root = t.testdir()
  const { deliver, dropped, files, source } = await office(root)
  writeFileSync(`${root}/spool/a.md`, 'x')
  writeFileSync(`${root}/spool/files/c.pdf`, 'contract')
  const attachments = [{ name: 'c.pdf', fd: openSync(`${root}/spool/files/c.pdf`, 'r'), source: source('spool/files', 'c.pdf'), letGo: () => undefined }]
  appendFileSync(`${root}/spool/files/c.pdf`, ', second page')
  await deliver.deliver(delivery('x', ['cfo'], { attachments }), dropped('spool', 'a.md'))
  t.same(files('spool/files'), ['c.pdf'])
})

t.test('a mailbox that was removed or swapped is made again, and the copy placed there', async (t) => {
  const root = t.testdir()
  const { deliver, files } = await office(root)
  await deliver.deliver(delivery('one', ['cfo']), undefined)
  renameSync(`${root}/workspaces/cfo/new`, `${root}/workspaces/cfo/away`)
  await deliver.deliver(delivery('two', ['cfo']), undefined)
  t.equal(files('workspaces/cfo/new').length, 1, 'where the path leads')
  rmSync(`${root}/workspaces/cfo`, { recursive: true })
  await deliver.deliver(delivery('three', ['cfo']), undefined)
  t.equal(files('workspaces/cfo/new').length, 1)
})

t.test('before the seal a fault leaves nothing done; after it the delivery is finished, once, when the fault is over', async (t) => {
  const root = t.testdir()
  let broken: 'append' | 'rename' | undefined
  let faults = 0
  const breakDisk = (disk: Disk): Disk => ({
    ...disk,
    append: (fd, data) => (broken === 'append' ? fails('ENOSPC')() : disk.append(fd, data)),
    rename: (from, to) => {
      if (broken === 'rename' && String(to).includes('/3-normal.') && ++faults >= 2) {
        if (faults > 3) broken = undefined
        fails('ENOSPC')()
      }
      disk.rename(from, to)
    },
  })
  const { deliver, dropped, files, events, ledgerSize } = await office(root, { breakDisk })
  writeFileSync(`${root}/spool/a.md`, 'x')
  broken = 'append'
  await t.rejects(deliver.deliver(delivery('x', ['cfo', 'legal']), dropped('spool', 'a.md')), { code: 'ENOSPC' })
  t.same([files('.penny/staging'), files('workspaces/cfo/new'), files('spool')], [[], [], ['a.md', 'files', 'held']])
  broken = 'rename'
  await awake(deliver.deliver(delivery('x', ['cfo', 'legal']), dropped('spool', 'a.md')))
  t.same([files('workspaces/cfo/new').length, files('workspaces/legal/new').length, files('spool').length], [1, 1, 2])
  t.same(events.map(({ event }) => event).sort(), ['admitted', 'delivered', 'delivered'])
  t.equal(ledgerSize(), 2)
})

t.test('what is on its way is counted until it is there', async (t) => {
  const { deliver } = await office(t.testdir())
  const going = [deliver.deliver(delivery('x', ['cfo'], { ref: 'r' }), undefined), deliver.deliver(delivery('y', ['cfo', 'legal']), undefined)]
  t.equal(deliver.inHand.copiesFor('cfo' as never), 2)
  t.ok(deliver.inHand.hasRef('ceo', 'r'))
  await Promise.all(going)
  t.equal(deliver.inHand.copiesFor('cfo' as never), 0)
  t.notOk(deliver.inHand.hasRef('ceo', 'r'))
})

t.test('text that is added after the drop was taken is held, not lost; a mere look takes nothing', async (t) => {
  const root = t.testdir()
  const { deliver, dropped, files, held, text } = await office(root)
  for (const name of ['late.md', 'look.md']) {
    writeFileSync(`${root}/spool/${name}`, 'x')
    await deliver.deliver(delivery('x', ['cfo']), dropped('spool', name, false))
  }
  const [late = ''] = files('.penny/staging')
  appendFileSync(`${root}/.penny/staging/${late}`, 'y')
  await deliver.sweepLate()
  t.equal(held.length, 1)
  t.equal(text(`spool/held/${held[0]?.held}`), 'xy')
  t.same(files('.penny/staging'), [])
  await deliver.checkpoint()
  t.equal(deliver.open(), 0, 'all intents are closed')
})

t.test('the same with a repeat: what was added to it is held', async (t) => {
  const root = t.testdir()
  const { deliver, dropped, files, held } = await office(root)
  const { mails } = await deliver.deliver(delivery('x', ['cfo'], { ref: 'r' }), undefined)
  const of = mails[0]?.id
  if (!of) throw new Error('nothing delivered')
  for (const name of ['late.md', 'look.md']) {
    writeFileSync(`${root}/spool/${name}`, 'x')
    await deliver.repeat(delivery('x', []).envelope, 'r', of, dropped('spool', name, false))
  }
  appendFileSync(`${root}/.penny/staging/${files('.penny/staging')[0]}`, 'y')
  await deliver.sweepLate()
  t.equal(held.length, 1)
  t.same(files('.penny/staging'), [])
})

t.test('an intent stays open until what the message brings about has happened', async (t) => {
  const { deliver, done } = await office(t.testdir())
  let go = (): void => undefined
  done.of = () => new Promise<void>((resolve) => (go = resolve))
  await deliver.deliver(delivery('x', ['cfo']), undefined)
  await deliver.checkpoint()
  t.equal(deliver.open(), 1)
  go()
  await new Promise((resolve) => setImmediate(resolve))
  await deliver.checkpoint()
  t.equal(deliver.open(), 0)
})

t.test('what a message should bring about is tried until it has happened, and told as long as it has not', async (t) => {
  const { deliver, done, told } = await office(t.testdir())
  let tries = 0
  done.of = async () => {
    if (++tries < 4) fails('ENOSPC')()
  }
  const { drop } = await deliver.deliver(delivery('x', ['cfo']), undefined)
  while (tries < 2) await new Promise((resolve) => setTimeout(resolve, 20))
  t.same([...told], [`disk-full ${drop}`])
  await deliver.checkpoint()
  t.equal(deliver.open(), 1)
  while (tries < 4) await new Promise((resolve) => setTimeout(resolve, 20))
  await new Promise((resolve) => setImmediate(resolve))
  t.same([...told], [])
  await deliver.checkpoint()
  t.equal(deliver.open(), 0)
})
