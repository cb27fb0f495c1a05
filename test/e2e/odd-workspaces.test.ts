import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { organisation, paste, run } from './driver.ts'
import { alertOf, alertsOf, lettersIn, lettersOf, message, pause, until } from './files.ts'

t.test('a workspace that was renamed is told of with what lies in it, and the fix brings it back', async (t) => {
  const org = await organisation(t, { agents: { writer: '', pmo: '' } })
  await org.up()
  for (const name of ['one', 'two']) org.drop(`spool/writer/${name}.md`, message({ subject: name }))
  const [first] = await until('mail', () => {
    const all = lettersOf(org.root, 'writer')
    return all.length === 2 && all
  })
  await org.as('writer', 'mv "new/$1" done/; echo mine > home/notes.txt', first?.file ?? '')
  await until('settled', () => lettersIn(org.at('workspaces/writer/done'))[0]?.head.get('status') === 'done')
  renameSync(org.at('workspaces/writer'), org.at('workspaces/scribe'))
  await until('a new one', () => lettersIn(org.at('workspaces/writer/new')).length === 1)
  writeFileSync(org.at('workspaces/scribe/outbox/unseen.md'), message({ to: 'pmo', subject: 'unseen' }))
  const alert = await until('told', () => alertOf(org.root, 'unmatched-file', 'unseen.md'))
  t.match(alert.text, /workspaces\/scribe\/ belongs to nobody.*what was workspaces\/writer\//)
  t.equal(alertsOf(org.root).filter(({ text }) => text.includes('about: workspaces/scribe')).length, 1, 'one alert')

  await org.end()
  const tasks = await org.json(['tasks'])
  t.match(tasks, [{ holder: 'writer', subject: 'two' }], 'the stale copies are no tasks')
  t.equal(tasks.length, 1)
  await org.up()
  const pasted = await paste(org, alert.head.get('fix'))
  t.equal(pasted.status, 0, pasted.err)
  t.notOk(existsSync(org.at('workspaces/scribe')))
  t.equal(readFileSync(org.at('workspaces/writer/home/notes.txt'), 'utf8'), 'mine\n')
  t.equal(lettersIn(org.at('workspaces/writer/done'))[0]?.head.get('subject'), 'one')
  t.ok(readdirSync(org.at('workspaces/writer/home/was-scribe')).includes('home'), 'nothing was removed')
  await until('what lay in its outbox is sent', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === 'unseen'))
  await until('the alert closes', () => !alertOf(org.root, 'unmatched-file'))
})

t.test("a person's mailbox that was renamed is one cause and one consequence, and its fix leaves nothing to tell", async (t) => {
  const org = await organisation(t)
  await org.up()
  for (let i = 0; i < 25; i++) org.drop(`spool/operator/m${i}.md`, message({ subject: `m${i}` }))
  await until('mail', () => lettersOf(org.root, 'operator').length === 25)
  renameSync(org.at('workspaces/operator'), org.at('workspaces/operator.bak'))
  await until('all are back', () => lettersIn(org.at('workspaces/operator/new')).length === 25)
  const cause = await until('the cause', () => alertOf(org.root, 'unmatched-file', 'about: workspaces/operator.bak'))
  const missing = await until('the consequence', () => alertsOf(org.root).find(({ code, head }) => code === 'missing-message' && head.get('count') === '25'))
  t.match(missing.text, /about: workspaces\/operator\n/)
  t.equal(alertsOf(org.root).filter(({ code }) => code === 'missing-message').length, 1)
  t.notMatch(cause.head.get('fix'), /spool/)
  t.equal((await paste(org, cause.head.get('fix'))).status, 0)
  await until('it is over', () => !alertOf(org.root, 'unmatched-file', 'operator.bak'))
  t.ok(existsSync(org.at('workspaces/operator/attachments/was-operator.bak/new')))
  await org.end()
  await org.up()
  await pause(14_000)
  t.notOk(alertOf(org.root, 'unmatched-file'), 'what the fix put aside is no stray')
})

t.test("what lies beside a person's mailbox is not moved to where others can read it", async (t) => {
  const org = await organisation(t)
  await org.up()
  mkdirSync(org.at('workspaces/operator/old.md'))
  writeFileSync(org.at('workspaces/operator/diary.txt'), 'mine\n')
  writeFileSync(org.at('workspaces/operator/new/diary.txt'), 'mine\n')
  for (const about of ['workspaces/operator/old.md', 'workspaces/operator/diary.txt', 'workspaces/operator/new/diary.txt']) {
    const alert = await until(about, () => alertOf(org.root, 'unmatched-file', `about: ${about}`))
    t.notMatch(alert.head.get('fix'), /spool|outbox|home/)
    if (!about.includes('/new/')) t.equal((await paste(org, alert.head.get('fix'))).status, 0)
  }
  await until('those that were moved are over', () => !alertOf(org.root, 'unmatched-file', 'old.md'))
  t.same(readdirSync(org.at('workspaces/operator/attachments/was-beside')).sort(), ['diary.txt', 'old.md'])
})

t.test('a file beside a mailbox is told of, with a fix that sends it', async (t) => {
  const org = await organisation(t)
  await org.up()
  const places = ['workspaces/x-a.md', 'workspaces/legal/x-b.md', 'workspaces/legal/sent/x-c.md']
  for (const place of places) org.drop(place, message({ to: 'pmo', subject: place }), org.owner('legal'))
  for (const place of places) {
    const alert = await until(place, () => alertOf(org.root, 'unmatched-file', `about: ${place}`))
    t.equal((await paste(org, alert.head.get('fix'))).status, 0)
  }
  t.same(
    places.filter((place) => existsSync(org.at(place))),
    [],
  )
  await until('every alert closes', () => !alertOf(org.root, 'unmatched-file'))
  const subjects = await until('sent', () => {
    const letters = lettersOf(org.root, 'pmo')
    return letters.length >= places.length && letters.map(({ head }) => head.get('subject'))
  })
  t.same(new Set(subjects), new Set(places))
})

t.test('tasks of an agent that is removed are told of at once, with a command; of one without any nothing is said', async (t) => {
  const org = await organisation(t, { agents: { writer: '', idle: '', pmo: '' } })
  await org.up()
  org.drop('spool/writer/one.md', message({ subject: 'one' }))
  org.drop('spool/idle/two.md', message({ subject: 'two' }))
  const task = await until('mail', () => lettersOf(org.root, 'writer')[0])
  await until('mail', () => lettersOf(org.root, 'idle')[0])
  await org.as('idle', 'mv new/* done/')
  await until('settled', () => lettersIn(org.at('workspaces/idle/done'))[0]?.head.get('status') === 'done')
  rmSync(org.at('policies/agents/writer.md'))
  rmSync(org.at('policies/agents/idle.md'))
  const alert = await until('told', () => alertOf(org.root, 'unmatched-file', task.id))
  t.match(alert.text, /workspaces\/writer\/ belongs to nobody.*1 task of writer that nobody will do/)
  t.notOk(alertOf(org.root, 'unmatched-file', 'workspaces/idle'))
  t.match(await org.json(['tasks']), [{ holder: 'writer', id: task.id }], 'they are listed as before')
  t.equal((await paste(org, alert.head.get('fix'))).status, 0)
  await until('the alert closes', () => !alertOf(org.root, 'unmatched-file'))
  t.ok((await org.json(['agents'])).some((agent) => agent['name'] === 'writer'))
  mkdirSync(org.at('workspaces/other'))
  await until('a folder of nobody', () => alertOf(org.root, 'unmatched-file', 'workspaces/other'))
})

t.test('strays whose names are bytes or hold control characters are told of too, with a fix that moves them', async (t) => {
  const org = await organisation(t)
  await org.up()
  const bytes = (folder: string, name: string): Buffer => Buffer.concat([Buffer.from(`${org.at(folder)}/`), Buffer.from(name, 'latin1')])
  const places = [
    [bytes('workspaces', 'caf\xe9.txt'), 'workspaces/caf\\xe9.txt'],
    [bytes('workspaces/legal/attachments', 'na\xefve.md'), 'workspaces/legal/attachments/na\\xefve.md'],
    [bytes('workspaces/legal', 'line\nbreak.txt'), 'workspaces/legal/line'],
  ] as const
  for (const [path] of places) writeFileSync(path, message({ to: 'pmo', subject: 'odd' }))
  mkdirSync(bytes('workspaces', 'b\xfcro'))
  for (const [path, about] of places) {
    const alert = await until(about, () => alertOf(org.root, 'unmatched-file', about))
    const pasted = await run(['/bin/bash', '-c', alert.head.get('fix') ?? ''], { cwd: org.root })
    t.equal(pasted.status, 0, pasted.err)
    t.notOk(existsSync(path), about)
  }
  const folder = await until('a folder', () => alertOf(org.root, 'unmatched-file', 'workspaces/b\\xfcro'))
  t.match(folder.text, /folder.*lies where no mail is looked for/)
  await until('every alert about a file closes', () => alertsOf(org.root).filter(({ code }) => code === 'unmatched-file').length === 1)
})

t.test('what a removed agent leaves in its outbox is told, also what comes later; a change of policies decides anew', async (t) => {
  const org = await organisation(t, { agents: { writer: '', pmo: '' } })
  await org.up()
  const file = org.at('policies/agents/writer.md')
  const text = readFileSync(file)
  rmSync(file)
  while ((await org.json(['agents'])).some((agent) => agent['name'] === 'writer')) await pause(100)
  writeFileSync(org.at('workspaces/writer/outbox/one.md'), 'x')
  await until('told', () => alertOf(org.root, 'unmatched-file', 'one.md'))
  writeFileSync(org.at('workspaces/writer/outbox/two.md'), 'x')
  await until('told', () => alertOf(org.root, 'unmatched-file', 'two.md'))
  rmSync(org.at('workspaces/writer/outbox/two.md'))
  await until('only the first', () => {
    const alert = alertOf(org.root, 'unmatched-file', 'one.md')
    return alert && !alert.text.includes('two.md')
  })
  writeFileSync(file, text)
  await until('closed', () => !alertOf(org.root, 'unmatched-file', 'belongs to nobody'))
})
