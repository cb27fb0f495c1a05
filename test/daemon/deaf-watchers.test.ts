import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { realSystem } from '../../src/system/index.ts'
import type { Watch } from '../../src/system/types.ts'
import { alertOf, type Letter, lettersOf, message, sentBy } from '../e2e/files.ts'
import { SECOND, turnedHouse } from './turned.ts'

t.test('watchers that report nothing any more cost one sweep: mail, claims, settling, tampering and closed alerts are found all the same', async (t) => {
  const { watch } = await realSystem(t.testdir(), 'error', () => undefined)
  let deaf = false
  let unheard = 0
  const dying: Watch = (folder, report) =>
    watch(folder, (name, wrote) => {
      if (deaf) unheard++
      else report(name, wrote)
    })
  const house = await turnedHouse(t, {}, { watch: dying })
  house.drop('spool/legal/heard.md', message({ subject: 'heard' }))
  house.drop('spool/typo.md', message({ to: 'legla', subject: 'typo' }))
  await house.until('a message', () => lettersOf(house.root, 'legal')[0])
  const alert = await house.until('an alert', () => alertOf(house.root, 'unknown-recipient'))

  deaf = true
  // "cost at most one sweep": 1 s between two, and one step of the clock in which what it found is done
  const within = 3 * SECOND
  const settled = (subject: string, folder: Letter['folder'], status: string) =>
    lettersOf(house.root, 'legal').find((one) => one.head.get('subject') === subject && one.folder === folder && one.head.get('status') === status)
  house.drop('spool/root.md', message({ to: 'legal', subject: 'from the root of the spool' }))
  house.drop('spool/legal/box.md', message({ subject: 'from a box' }))
  house.drop('workspaces/cfo/outbox/sent.md', message({ to: 'legal', subject: 'from an outbox' }))
  await house.until('all three', () => lettersOf(house.root, 'legal').length === 4, within)
  const [one] = lettersOf(house.root, 'legal').filter(({ head }) => head.get('subject') === 'from an outbox')
  if (!one) throw new Error('no message')
  const path = (folder: string): string => house.at(`workspaces/legal/${folder}/${one.file}`)
  renameSync(path('new'), path('cur'))
  await house.until('claimed', () => settled('from an outbox', 'cur', 'in_progress'), within)
  writeFileSync(path('cur'), readFileSync(path('cur'), 'utf8').replace('status: in_progress', 'status: done\nresult: signed'))
  await house.until('done', () => settled('from an outbox', 'done', 'done'), within)
  await house.until('the mirror', () => sentBy(house.root, 'cfo').find(({ head }) => head.get('result') === 'signed'), within)
  writeFileSync(path('done'), readFileSync(path('done'), 'utf8').replace('from: cfo', 'from: ceo'))
  await house.until(
    'what was done to settled mail',
    () => alertOf(house.root, 'tampered') && settled('from an outbox', 'done', 'done')?.head.get('from') === 'cfo',
    within,
  )
  renameSync(alert.path, house.at(`spool/alerts/done/${alert.file}`))
  mkdirSync(house.at('spool/nobody'))
  house.drop('spool/nobody/odd.md', 'for whom?\n')
  await house.until('what nobody can get is held', () => alertOf(house.root, 'unknown-recipient', 'nobody'), within)
  t.ok(unheard > 10, `${unheard} reports were lost`)
})
