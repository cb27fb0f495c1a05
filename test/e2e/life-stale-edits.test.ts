import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, filesIn, lettersOf, message, until } from './files.ts'

t.test('an editor that saves a message after it moved: what it adds is merged, and one id has one place', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one' }, 'Body'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  const opened = readFileSync(letter.path, 'utf8')
  await org.as('legal', 'mv "new/$1" cur/', letter.file)
  await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'in_progress'))
  const saved = opened.replace(/^status: .*$/m, '$&\nprogress: written in the editor')
  await org.as('legal', 'printf %s "$2" > "new/$1"', letter.file, saved)
  const merged = await until('merged', () => {
    const all = lettersOf(org.root, 'legal').filter((one) => one.id === letter.id)
    return all.length === 1 && all[0]?.head.get('progress') === 'written in the editor' && all[0]
  })
  t.equal(merged.head.get('status'), 'in_progress', 'the claim stays')
  t.equal(merged.folder, 'cur')
})

t.test('a stale copy that contradicts is kept beside the message and alerted', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one' }, 'Line one\nLine two\n'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  const opened = readFileSync(letter.path, 'utf8')
  await org.as('legal', 'sed -i -e "/^status:/a progress: by the second window" -e "s/^Line one/Line 1/" "new/$1"; mv "new/$1" cur/', letter.file)
  await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'in_progress'))
  const saved = opened.replace(/^status: .*$/m, '$&\nprogress: by the first window').replace('Line one', 'Line eins')
  await org.as('legal', 'printf %s "$2" > "new/$1"', letter.file, saved)
  const kept = await until('kept', () => {
    const folder = org.at('workspaces/legal/attachments', letter.id)
    return filesIn(folder)
      .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
      .find((text) => text.includes('Line eins'))
  })
  t.match(kept, /by the first window/)
  await until('an alert', () => alertsOf(org.root).find((alert) => alert.text.includes(letter.id)))
  const one = await until('one place', () => {
    const all = lettersOf(org.root, 'legal').filter((copy) => copy.id === letter.id)
    return all.length === 1 && all[0]
  })
  t.match(one.body.toString(), /Line 1/, 'what came first stands')
})
