import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { alertOf, alertsOf, lettersIn, lettersOf, message, sentBy } from '../e2e/files.ts'
import { DAY, HOUR, MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

const MANAGED = { 'agents/legal.md': '---\ntitle: Counsel\nmanager: cfo\n---\nYou review.\n' }
const inTime = (house: TurnedHouse, ms: number): string => new Date(house.clock.now() + ms).toISOString()
/** What is not seen before the clock is turned far would count from then. */
const claimed = (house: TurnedHouse, holder: string, id: string): Promise<unknown> =>
  house.until('claimed', () => lettersOf(house.root, holder).some((one) => one.id === id && one.head.get('status') === 'in_progress'))
/** Notes of the daemon about a task. */
const notes = (house: TurnedHouse, holder: string, id: string): number =>
  lettersOf(house.root, holder).filter((one) => one.head.get('from') === 'pennypost' && one.id !== id && one.raw.includes(id)).length

t.test('a task nobody claims: its holder is told, then its manager, then the postmaster, each once, also over a restart', async (t) => {
  const house = await turnedHouse(t, MANAGED)
  house.drop('spool/legal/task.md', message({ subject: 'one', priority: 'normal' }))
  const { id } = await house.until('it', () => lettersOf(house.root, 'legal')[0])
  const told = (): number[] => ['legal', 'cfo', 'operator'].map((holder) => notes(house, holder, id))
  await house.pass(4 * HOUR - MINUTE, HOUR)
  t.same(told(), [0, 0, 0], 'not before 4 h')
  t.same(alertsOf(house.root), [])
  await house.until('the holder', () => notes(house, 'legal', id) > 0, 3 * MINUTE)
  const alert = await house.until('stuck-new', () => alertOf(house.root, 'stuck-new', id))
  t.equal(alert.head.get('agent'), 'legal')
  await house.restart()
  await house.pass(4 * HOUR - 5 * MINUTE, HOUR)
  t.same(told(), [1, 0, 0])
  await house.until('its manager, at twice the time', () => notes(house, 'cfo', id) > 0, 10 * MINUTE)
  t.same(told(), [1, 1, 0])
  await house.restart()
  await house.pass(4 * HOUR - 10 * MINUTE, HOUR)
  t.same(told(), [1, 1, 0])
  await house.until('the postmaster, at three times', () => notes(house, 'operator', id) > 0, 15 * MINUTE)
  await house.restart()
  await house.pass(12 * HOUR, HOUR)
  t.same(told(), [1, 1, 1], 'each once')
  t.same(
    alertsOf(house.root).map(({ code }) => code),
    ['stuck-new'],
    'one alert all the while',
  )
  const [letter] = lettersIn(house.at('workspaces/legal/new')).filter((one) => one.id === id)
  renameSync(letter?.path ?? '', house.at(`workspaces/legal/done/${letter?.file}`))
  await house.until('the alert goes with its cause', () => alertsOf(house.root).length === 0)
})

t.test('a task that was answered and not closed is pointed out after a minute, until it is settled', async (t) => {
  const house = await turnedHouse(t)
  house.drop('workspaces/cfo/outbox/ask.md', message({ to: 'legal', subject: 'ask' }))
  const { id } = await house.until('it', () => lettersOf(house.root, 'legal')[0])
  house.drop('workspaces/legal/outbox/answer.md', message({ to: 'cfo', in_reply_to: id }))
  await house.until('the answer is noted', () => lettersOf(house.root, 'legal').find((one) => one.id === id && one.head.has('answered')))
  t.notOk(alertOf(house.root, 'answered-open'), 'not at once: a holder that closes right after is left alone')
  const alert = await house.until('answered-open', () => alertOf(house.root, 'answered-open', id))
  t.equal(alert.head.get('agent'), 'legal')
  house.drop('workspaces/legal/outbox/close.md', message({ to: 'cfo', in_reply_to: id, settles: 'done' }))
  await house.until('the alert goes with its cause', () => !alertOf(house.root, 'answered-open'))
})

t.test('tasks not finished, past their date, or waiting for each other: an alert each', async (t) => {
  const house = await turnedHouse(t)
  house.drop('spool/legal/slow.md', message({ subject: 'slow', priority: 'urgent' }))
  house.drop('spool/cfo/dated.md', message({ subject: 'dated', due: inTime(house, DAY) }))
  const slow = await house.until('the slow one', () => lettersOf(house.root, 'legal')[0])
  const dated = await house.until('the dated one', () => lettersOf(house.root, 'cfo')[0])
  renameSync(slow.path, house.at(`workspaces/legal/cur/${slow.file}`))
  renameSync(dated.path, house.at(`workspaces/cfo/cur/${dated.file}`))
  await claimed(house, 'legal', slow.id)
  await claimed(house, 'cfo', dated.id)
  await house.pass(HOUR - MINUTE, 10 * MINUTE)
  t.same(alertsOf(house.root), [], 'not before an hour')
  await house.until('stuck-cur', () => alertOf(house.root, 'stuck-cur', slow.id))
  await house.pass(23 * HOUR - 10 * MINUTE, HOUR)
  t.notOk(alertOf(house.root, 'overdue'), 'not before its date')
  await house.until('overdue', () => alertOf(house.root, 'overdue', dated.id), 15 * MINUTE)
  for (const [holder, mine, other] of [
    ['legal', slow.id, dated.id],
    ['cfo', dated.id, slow.id],
  ] as const) {
    const [letter] = lettersOf(house.root, holder).filter((one) => one.id === mine)
    const path = letter?.path ?? ''
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^status: .*$/m, `status: blocked\nblocked_on: ${other}`))
  }
  const circle = await house.until('blocked-cycle', () => alertOf(house.root, 'blocked-cycle', slow.id))
  t.match(circle.text, dated.id)
})

t.test('a message that is not to come before its time comes then, also when that is weeks away', async (t) => {
  const house = await turnedHouse(t)
  house.drop('workspaces/cfo/outbox/later.md', message({ to: 'legal', subject: 'later', not_before: inTime(house, 40 * DAY) }))
  house.drop('workspaces/cfo/outbox/self.md', message({ to: 'cfo', kind: 'note', subject: 'remember', not_before: inTime(house, 10 * MINUTE) }))
  await house.pass(10 * MINUTE - 3 * SECOND, 30 * SECOND)
  t.same([...lettersOf(house.root, 'legal'), ...lettersOf(house.root, 'cfo')], [])
  await house.until('the reminder', () => lettersOf(house.root, 'cfo')[0], 6 * SECOND)
  await house.pass(40 * DAY - 11 * MINUTE, DAY)
  t.same(lettersOf(house.root, 'legal'), [], 'not a minute early')
  await house.until('the other', () => lettersOf(house.root, 'legal')[0], MINUTE + 10 * SECOND)
  t.same(alertsOf(house.root), [], 'and nobody was alarmed')
})

t.test('an unclaimed task that expires is cancelled then and its sender told; a claimed one is left', async (t) => {
  const house = await turnedHouse(t)
  for (const subject of ['unclaimed', 'claimed'])
    house.drop(`workspaces/cfo/outbox/${subject}.md`, message({ to: 'legal', subject, priority: 'low', expires: inTime(house, DAY) }))
  await house.until('both', () => lettersOf(house.root, 'legal').length === 2)
  const find = (subject: string) => lettersOf(house.root, 'legal').find((one) => one.head.get('subject') === subject)
  const taken = find('claimed')
  renameSync(taken?.path ?? '', house.at(`workspaces/legal/cur/${taken?.file}`))
  await claimed(house, 'legal', taken?.id ?? '')
  await house.pass(DAY - 5 * MINUTE, HOUR)
  t.equal(find('unclaimed')?.head.get('status'), 'open', 'not before')
  const gone = await house.until('cancelled', () => find('unclaimed')?.head.get('status') === 'cancelled' && find('unclaimed'), 6 * MINUTE)
  await house.until('its mirror', () => sentBy(house.root, 'cfo').find((one) => one.id === gone.id && one.head.get('status') === 'cancelled'))
  await house.until('its sender', () => notes(house, 'cfo', gone.id) === 1)
  await house.pass(MINUTE, 10 * SECOND)
  t.equal(find('claimed')?.head.get('status'), 'in_progress')
})
