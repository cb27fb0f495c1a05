import { appendFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { fails } from '../journal/ground.ts'
import { delivery, office } from './office.ts'

const TEXT = '---\nto: cfo\n---\nthe whole body of it\n'

/** A message that was placed by a daemon which then died, and where it lies. */
async function placed(t: Test) {
  const root = t.testdir()
  const before = await office(root)
  const { mails } = await before.deliver.deliver(delivery(TEXT, ['cfo']), undefined)
  const file = mails[0]?.file ?? ''
  const folder = 'workspaces/cfo/new'
  return { root, file, path: `${root}/${folder}/${file}`, before, original: before.text(`${folder}/${file}`), again: (boot: string) => office(root, { boot }) }
}

t.test('after a kill, what is not in staging was placed: also where the holder has moved it since', async (t) => {
  const { root, file, path, again } = await placed(t)
  renameSync(path, `${root}/workspaces/cfo/done/${file}`)
  const after = await again('boot')
  t.equal(after.deliver.recover(), 1)
  t.same(after.files('workspaces/cfo/new'), [])
  await new Promise((resolve) => setImmediate(resolve))
  await after.deliver.checkpoint()
  t.equal((await office(root)).deliver.recover(), 0, 'once closed, never again')
})

t.test('after a power cut, what is missing, cut off or full of zeros is made again', async (t) => {
  const spoil: Record<string, (path: string, original: string) => void> = {
    missing: (path) => unlinkSync(path),
    empty: (path) => truncateSync(path, 0),
    'cut off': (path, original) => truncateSync(path, original.length - 9),
    zeros: (path, original) => writeFileSync(path, Buffer.alloc(original.length)),
    'zeros in the body': (path, original) => writeFileSync(path, original.replace('whole', '\0\0\0\0\0')),
  }
  for (const [how, work] of Object.entries(spoil)) {
    await t.test(how, async (t) => {
      const { file, path, original, again } = await placed(t)
      work(path, original)
      const after = await again('another boot')
      after.deliver.recover()
      t.same(after.files('workspaces/cfo/new'), [file])
      t.equal(after.text(`workspaces/cfo/new/${file}`), original)
      t.same(after.files('.penny/staging'), [])
    })
  }
})

t.test('after a power cut, what the holder has claimed, or added to, stays as it is', async (t) => {
  const { root, file, path, again } = await placed(t)
  renameSync(path, `${root}/workspaces/cfo/cur/${file}`)
  appendFileSync(`${root}/workspaces/cfo/cur/${file}`, 'a line of the holder\n')
  const after = await again('another boot')
  after.deliver.recover()
  t.same(after.files('workspaces/cfo/new'), [])
  t.ok(after.text(`workspaces/cfo/cur/${file}`).endsWith('a line of the holder\n'))
})

t.test('what its holder made of a copy is never taken for what a power cut left, however little of the original is in it', async (t) => {
  const deeds: Record<string, (original: string) => string> = {
    'a status and an answer for a line': (original) => original.replace('status: open', 'status: blocked').replace('the whole body of it\n', 'No.\n'),
    'front matter that does not parse': (original) => original.replace('status: open', 'status: [done').slice(0, -9),
    'another id': (original) => original.replace(/^id: .*$/m, 'id: x'),
    'no front matter at all': () => 'What I found out.\n',
    'zeros, and words': (original) => original.replace('whole', '\0\0\0ab'),
  }
  for (const [how, deed] of Object.entries(deeds)) {
    for (const boot of ['boot', 'another boot']) {
      await t.test(`${how}, ${boot}`, async (t) => {
        const { root, file, path, original, again } = await placed(t)
        const text = deed(original)
        const cur = `workspaces/cfo/cur/${file}`
        renameSync(path, `${root}/${cur}`)
        writeFileSync(`${root}/${cur}`, text)
        const after = await again(boot)
        after.deliver.recover()
        t.same(after.files('workspaces/cfo/new'), [])
        t.equal(after.text(cur), text)
      })
    }
  }
})

t.test('ids go on after those of open intents, where the clock was set back meanwhile', async (t) => {
  const { root, before } = await placed(t)
  const [, late] = (await before.deliver.deliver(delivery(TEXT, ['cfo', 'legal']), undefined)).mails
  const after = await office(root, { clockBackMs: 86_400_000 })
  t.equal(after.deliver.recover(), 2)
  const { mails, drop } = await after.deliver.deliver(delivery(TEXT, ['cfo']), undefined)
  t.ok(late && drop > late.id && (mails[0]?.id ?? '') > drop)
})

t.test('a drop that is still there is taken away; text added to it is held; another file under its name is another drop', async (t) => {
  for (const [how, now, left] of [
    ['as it was', TEXT, 0],
    ['added to', `${TEXT}more\n`, 0],
    ['another', 'something else, which is longer than the first one was\n', 1],
  ] as const) {
    await t.test(how, async (t) => {
      const root = t.testdir()
      const before = await office(root)
      writeFileSync(`${root}/spool/a.md`, TEXT)
      const { source } = before.dropped('spool', 'a.md')
      // As if it had died before it took the drop away.
      await before.deliver.deliver(delivery(TEXT, ['cfo']), { source: { ...source, ino: 1 }, untouched: () => true, letGo: () => undefined })
      const log = `${root}/.penny/sealed/${before.files('.penny/sealed')[0]}`
      writeFileSync(log, before.disk.readFile(log).toString().replace('"ino":1,', `"ino":${source.ino},`))
      if (now !== TEXT) writeFileSync(`${root}/spool/a.md`, now)
      const after = await office(root)
      after.deliver.recover()
      await after.deliver.sweepLate()
      t.equal(after.files('spool').filter((name) => name === 'a.md').length, left)
      t.equal(after.held.length, how === 'added to' ? 1 : 0)
      t.equal(after.files('workspaces/cfo/new').length, 1)
    })
  }
})

t.test('one intent that cannot be carried out keeps neither the others nor the daemon from starting', async (t) => {
  const root = t.testdir()
  const before = await office(root)
  await before.deliver.deliver(delivery(TEXT, ['cfo']), undefined)
  await before.deliver.deliver(delivery(TEXT, ['legal']), undefined)
  let broken = true
  const after = await office(root, {
    boot: 'another boot',
    breakDisk: (disk) => ({
      ...disk,
      readFile: (path, limit) => {
        if (broken && String(path).includes('/cfo/new/')) fails('EIO')()
        return disk.readFile(path, limit)
      },
    }),
  })
  t.equal(after.deliver.recover(), 2)
  const delivered = (): number => after.events.filter(({ event }) => event === 'delivered').length
  t.equal(delivered(), 1)
  broken = false
  while (delivered() < 2) await new Promise((resolve) => void setTimeout(resolve, 20))
  t.equal(after.files('workspaces/cfo/new').length, 1)
})
