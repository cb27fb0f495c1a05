import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import t from 'tap'
import { alertOf, filesIn, lettersIn, lettersOf, message, sentBy } from '../e2e/files.ts'
import { DAY, HOUR, MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

/** The past with a sender's words in it, as it is sealed. */
function sealedWith(house: TurnedHouse, words: string): string[] {
  const folder = house.at('.penny/sealed')
  return readdirSync(folder).filter((file) => readFileSync(`${folder}/${file}`, 'utf8').includes(words))
}

t.test('settled mail of past months lies by month; originals, run logs, mirrors and closed alerts go after 30 days', async (t) => {
  const house = await turnedHouse(t)
  house.drop('workspaces/cfo/outbox/worked.md', message({ to: 'clerk', subject: 'worked' }, 'WORDS OF OLD\n'))
  const worked = await house.until('the run', () => lettersIn(house.at('workspaces/clerk/done'))[0])
  house.drop('workspaces/cfo/outbox/kept-P1.md', message({ to: 'legal', subject: 'kept', priority: 'low' }, 'STILL OPEN\n'))
  const kept = await house.until('the open one', () => lettersOf(house.root, 'legal')[0])
  const alert = await house.until('an alert', () => alertOf(house.root, 'priority-in-name', 'kept-P1.md'))
  renameSync(alert.path, house.at(`spool/alerts/done/${alert.file}`))
  house.drop('workspaces/cfo/outbox/signed.md', message({ to: 'legal', subject: 'signed', priority: 'low' }))
  const signed = await house.until('one to settle', () => lettersOf(house.root, 'legal').find(({ head }) => head.get('subject') === 'signed'))
  renameSync(signed.path, house.at(`workspaces/legal/done/${signed.file}`))
  house.drop('workspaces/cfo/outbox/nobody.md', message({ to: 'nobody-here', subject: 'held' }))
  const held = await house.until('a held file', () => filesIn(house.at('spool/held')).find((file) => !file.endsWith('.why.md')))
  await house.until('all mirrors', () => sentBy(house.root, 'cfo').length === 3)
  const log = house.at(`workspaces/clerk/runs/${worked.id}.log`)
  const closed = (): boolean => existsSync(house.at(`spool/alerts/done/${alert.file}`))
  const mirrored = (id: string): boolean => sentBy(house.root, 'cfo').some((one) => one.id === id)

  await house.pass(2 * HOUR, 10 * MINUTE)
  await house.pass(29 * DAY, 12 * HOUR)
  t.ok(existsSync(log) && closed() && mirrored(worked.id), 'on the 29th day they are there')
  t.equal(sealedWith(house, 'WORDS OF OLD').length, 1)

  await house.pass(3 * DAY, 12 * HOUR)
  await house.until('the run log, the mirror and the alert are gone', () => !existsSync(log) && !closed() && !mirrored(worked.id), 2 * HOUR)
  const month = new Date(worked.head.get('created') ?? '').toISOString().slice(0, 7)
  t.same(filesIn(house.at(`workspaces/clerk/done/${month}`)), [worked.file], 'done/ is never deleted')
  t.same(filesIn(house.at('workspaces/clerk/done')), [], 'and lies by month')
  t.ok(mirrored(kept.id), 'the mirror of an open task stays')

  await house.pass(2 * HOUR, 10 * MINUTE)
  t.equal(sealedWith(house, 'WORDS OF OLD').length, 0, 'the original too')

  rmSync(kept.path)
  await house.until('the open one is back', () => existsSync(kept.path))
  t.match(readFileSync(kept.path, 'utf8'), /^status: open$[\s\S]*\nSTILL OPEN\n$/m, 'what is open is put back, however old it is')
  t.ok(alertOf(house.root, 'missing-message', kept.id))

  const { verbs } = house.house().daemon
  const { signal } = new AbortController()
  const said: object[] = []
  let refused: unknown
  const say = async (line: object): Promise<void> => void said.push(line)
  Promise.resolve(verbs.release({ verb: 'release', file: held }, say, signal)).catch((cause: unknown) => (refused = cause))
  await house.until('it is judged again', () => refused)
  t.match(said, [{ file: 'workspaces/cfo/outbox/nobody.md' }], 'a held file goes back to where it came from, however old it is')
  t.match(refused, { message: /held again: unknown-recipient/ })

  await verbs.set({ verb: 'set', id: signed.id, status: 'open' }, () => undefined, signal)
  const reopened = await house.until('the reopened one', () => lettersOf(house.root, 'legal').find(({ id }) => id === signed.id))
  rmSync(reopened.path)
  await house.until('missing-message', () => alertOf(house.root, 'missing-message', signed.id))
  await house.pass(MINUTE, SECOND)
  const missing = alertOf(house.root, 'missing-message', signed.id)
  t.match(missing?.text, /past the retention time/, 'one that was settled when its original went cannot be put back, and that is said')
  t.equal(missing?.head.get('count'), '1', 'one loss is told once')
})
