import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import { createHandles } from '../../src/daemon/handles.ts'
import { loadState, saveState } from '../../src/daemon/snapshot.ts'
import { createState } from '../../src/daemon/state.ts'
import { JOURNAL_START, type Journal, openJournal, type Position } from '../../src/journal/index.ts'
import { makeLedger } from '../../src/mailbox/index.ts'
import { makeIds, realSystem } from '../../src/system/index.ts'
import type { Disk } from '../../src/system/types.ts'
import { drop, type House, mailOf, newRoot, openHouse, report, until } from '../crash/house.ts'
import { fails } from '../journal/ground.ts'

type Life = Readonly<{ root: string; open: () => Promise<House>; snapshot: string; segment: () => string }>

function life(t: Test): Life {
  const root = newRoot()
  let house: House | undefined
  t.teardown(() => {
    house?.abandon()
    rmSync(root, { recursive: true, force: true })
  })
  const journal = `${root}/.penny/journal`
  return {
    root,
    open: async () => {
      house = await openHouse(root)
      await house.daemon.ready
      return house
    },
    snapshot: `${root}/.penny/state/ledger.jsonl`,
    segment: () => `${journal}/${readdirSync(journal).sort().at(-1)}`,
  }
}

async function deliver(root: string, name: string): Promise<void> {
  drop(root, 'spool', `${name}.md`, `---\nto: legal\nsubject: ${name}\n---\nx\n`)
  if (!(await until(() => mailOf(root).some(({ text }) => text.includes(`subject: ${name}`))))) throw new Error(`${name} was not delivered`)
}

const open = async (house: House): Promise<number> => (await report(house)).accounting.open

t.test('a snapshot that knows more than a power cut left of the journal hides nothing that is recorded later', async (t) => {
  const { root, open: start, snapshot, segment } = life(t)
  const first = await start()
  await deliver(root, 'one')
  await first.stop()
  const bytes = readFileSync(segment()).length
  const filler = `${JSON.stringify({ at: new Date().toISOString(), event: 'daemon', state: 'config', what: 'x'.repeat(50_000) })}\n`
  appendFileSync(segment(), filler)
  const second = await start()
  await second.stop()
  truncateSync(segment(), bytes)
  t.ok(readFileSync(snapshot).length > 0)

  const third = await start()
  t.match(third.logged.join('\n'), /snapshot/, 'that it is not believed is in the log')
  await deliver(root, 'two')
  t.equal(await open(third), 2)
  third.abandon()
  const fourth = await start()
  t.equal(await open(fourth), 2, 'what was delivered since is known to the next start, which has no better snapshot')
  t.same(fourth.logged, [])
  await fourth.stop()
})

t.test('a snapshot that is cut off, spoiled, of another version or no file at all is built anew from the journal', async (t) => {
  const { root, open: start, snapshot } = life(t)
  const first = await start()
  await deliver(root, 'one')
  await deliver(root, 'two')
  await first.stop()
  const whole = readFileSync(snapshot)
  const lines = whole.toString().split('\n')
  const spoilt: Readonly<Record<string, () => void>> = {
    'cut off in a line': () => writeFileSync(snapshot, whole.subarray(0, whole.length - 300)),
    'cut off after a line': () => writeFileSync(snapshot, `${lines.slice(0, 2).join('\n')}\n`),
    empty: () => writeFileSync(snapshot, ''),
    'no JSON': () => writeFileSync(snapshot, 'what is this\n'),
    'a line changed': () => writeFileSync(snapshot, whole.toString().replace('"status":"open"', '"status":"done"')),
    'of another version': () => writeFileSync(snapshot, `${JSON.stringify({ position: JOURNAL_START, refs: [] })}\n`),
    'a folder': () => {
      unlinkSync(snapshot)
      mkdirSync(snapshot)
    },
  }
  for (const [what, spoil] of Object.entries(spoilt)) {
    spoil()
    const house = await start()
    const { accounting } = await report(house)
    t.same([accounting.open, accounting.admitted, accounting.copies], [2, 2, 2], what)
    t.match(house.logged.join('\n'), /snapshot/, `${what}: and the log says so`)
    await house.stop()
    const after = await start()
    t.same([await open(after), after.logged], [2, []], `${what}: the next start has a good one`)
    await after.stop()
  }
})

t.test('what a snapshot says to be in the journal is on the medium before the snapshot is', async (t) => {
  const dir = t.testdir({ journal: {} })
  const { disk, clock } = await realSystem(dir, 'error', () => undefined)
  const real = openJournal(disk, clock, `${dir}/journal`)
  let durable: Position = JOURNAL_START
  const journal: Journal = {
    ...real,
    sync: async () => {
      const reached = real.end()
      await real.sync()
      durable = reached
    },
  }
  const handles = createHandles({ clock, disk, log: () => undefined, path: `${dir}/refs`, isUnsettled: () => false, syncJournal: journal.sync })
  const state = createState(clock, makeIds(clock), journal, makeLedger(), handles)
  const given = { disk, clock, journal, state, log: () => undefined, file: `${dir}/ledger.jsonl` }
  const id = '01920000-0000-7000-8000-000000000001' as MessageId
  journal.record({ event: 'repeat', drop: id, from: 'legal', ref: 'r', of: id })
  await saveState(given)
  const { position } = JSON.parse(readFileSync(given.file, 'utf8').split('\n')[0] ?? '') as { position: Position }
  t.ok(position.offset > 0 && position.segment === durable.segment && position.offset <= durable.offset, JSON.stringify({ position, durable }))
  const again = createState(clock, makeIds(clock), journal, makeLedger(), handles)
  await loadState({ ...given, state: again }, journal.end(), () => undefined, { from: JOURNAL_START, see: () => undefined })
  t.equal(again.accounting().repeats, 1, 'and read again it counts once')
  await real.close()
})

t.test('a daemon that cannot read its journal says so to whoever started it and ends, rather than being half up for ever', async (t) => {
  const root = newRoot()
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const before = await openHouse(root)
  await before.daemon.ready
  await before.stop()
  rmSync(`${root}/.penny/state/ledger.jsonl`)
  const { disk, clock } = await realSystem(t.testdir(), 'error', () => undefined)
  let begun = false
  const soon = (call: () => void): void => {
    begun = true
    clock.soon(call)
  }
  const openRead: Disk['openRead'] = (path) => {
    if (begun && String(path).includes('/journal/')) fails('EIO')()
    return disk.openRead(path)
  }
  const house = await openHouse(root, { clock: { ...clock, soon }, disk: { ...disk, openRead } })
  t.teardown(house.abandon)
  t.ok(await until(() => house.failed.length > 0))
  t.match(house.failed, [{ code: 'EIO' }])
})
