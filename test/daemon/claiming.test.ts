import { renameSync, rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import { Refused, type Verbs } from '../../src/daemon/control.ts'
import { drop, type Found, type House, mailOf, newRoot, openHouse, until } from '../crash/house.ts'

const HERE = new AbortController().signal
const mute = (): undefined => undefined

async function officeWith(t: Test, letters: Readonly<Record<string, string>>): Promise<{ root: string; verbs: Verbs; mail: Found[] }> {
  const root = newRoot()
  const house: House = await openHouse(root)
  t.teardown(async () => {
    await house.stop()
    rmSync(root, { recursive: true, force: true })
  })
  await house.daemon.ready
  for (const [name, head] of Object.entries(letters)) drop(root, 'spool', `${name}.md`, `---\nto: legal\nsubject: ${name}\n${head}---\nPlease.\n`)
  const all = (): Found[] | false => {
    const mail = mailOf(root).filter(({ folder }) => folder === 'new')
    return mail.length === Object.keys(letters).length && mail
  }
  const mail = await until(all)
  if (!mail) throw new Error('not delivered')
  return { root, verbs: house.daemon.verbs, mail }
}

async function refusal(asked: Promise<unknown>): Promise<Refused | undefined> {
  return Promise.resolve(asked).then(
    () => undefined,
    (cause: unknown) => {
      if (cause instanceof Refused) return cause
      throw cause
    },
  )
}

t.test('each message is given to one of those who ask for the next at the same time; the last is told that there is none', async (t) => {
  const { root, verbs, mail } = await officeWith(t, { one: '', two: 'priority: urgent\n', note: 'kind: note\n' })
  const given = await Promise.all([1, 2, 3, 4].map(async () => (await verbs.next({ verb: 'next', agent: 'legal', wait: false }, mute, HERE)).id ?? 'no mail'))
  t.strictSame(given.sort(), [...mail.map(({ id }) => id), 'no mail'].sort())
  t.strictSame(new Set(mailOf(root).map(({ folder }) => folder)), new Set(['cur']))
})

t.test('what its holder has taken by mv, reported or not, is not given to who asks for the next', async (t) => {
  const { verbs, mail } = await officeWith(t, { one: '', note: 'kind: note\n' })
  for (const { path } of mail) renameSync(path, path.replace('/new/', '/cur/'))
  t.equal((await verbs.next({ verb: 'next', agent: 'legal', wait: false }, mute, HERE)).id, undefined)
})

t.test('who waits is given what comes back to new/, not only what is delivered', async (t) => {
  const { verbs, mail } = await officeWith(t, { one: '' })
  const { id } = await verbs.next({ verb: 'next', agent: 'legal', wait: false }, mute, HERE)
  t.equal(id, mail[0]?.id)
  const waiting = verbs.next({ verb: 'next', agent: 'legal', wait: true }, mute, HERE)
  await verbs.change({ verb: 'change', id: id ?? '', to: 'open' }, mute, HERE)
  t.equal((await waiting).id, id)
})

t.test('a claimed task cannot be claimed again; a blocked one can', async (t) => {
  const { verbs, mail } = await officeWith(t, { one: '' })
  const id = mail[0]?.id ?? ''
  const change = async (to: 'in_progress' | 'blocked') => verbs.change({ verb: 'change', id, to }, mute, HERE)
  const both = await Promise.all([refusal(change('in_progress')), refusal(change('in_progress'))])
  t.strictSame(
    both.map((refused) => refused?.exit),
    [undefined, 77],
  )
  t.match(both[1]?.message, /claimed already/)
  await change('blocked')
  t.equal(await refusal(change('in_progress')), undefined)
})

t.test('a note has no status but that it was read: blocked, failed and a result are refused, and it stays where it is', async (t) => {
  const { root, verbs, mail } = await officeWith(t, { note: 'kind: note\n' })
  const id = mail[0]?.id ?? ''
  const change = async (more: object) => refusal(Promise.resolve(verbs.change({ verb: 'change', id, to: 'done', ...more }, mute, HERE)))
  for (const more of [{ to: 'blocked' }, { to: 'failed' }, { to: 'cancelled' }, { result: 'seen' }]) {
    const refused = await change(more)
    t.equal(refused?.exit, 77, JSON.stringify(more))
    t.equal(refused?.fix, `penny settle ${id} done`)
  }
  t.equal(mailOf(root)[0]?.folder, 'new')
  t.equal(await change({}), undefined)
  t.equal(mailOf(root)[0]?.folder, 'done')
  t.equal((await change({ to: 'in_progress' }))?.exit, 66, 'it is no longer there to be claimed')
})
