import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, accounting, isTrue, ORDINARY, organisation, REACHABLE, run } from './driver.ts'
import { alertOf, alertsOf, exists, lettersOf, message, until } from './files.ts'

t.test('policies/ edited while running: a new agent gets its folders and mail, an invalid change keeps what runs, with an alert', async (t) => {
  const org = await organisation(t)
  await org.up()
  writeFileSync(org.at('policies/agents/cfo.md'), '---\ntitle: CFO\n---\nYou are the CFO.\n')
  await until('the new agent has a mailbox', () => ['new', 'cur', 'done', 'outbox', 'sent', 'home'].every((folder) => exists(org.at('workspaces/cfo', folder))))
  org.drop('spool/one.md', message({ to: 'cfo', subject: 'welcome' }))
  await until('its mail', () => lettersOf(org.root, 'cfo')[0])

  writeFileSync(org.at('policies/agents/cfo.md'), '---\ntitle: CFO\nmanagr: legal\n---\nYou are the CFO.\n')
  const alert = await until('config-invalid', () => alertOf(org.root, 'config-invalid'))
  t.match(alert.text, /cfo\.md/)
  t.match(alert.text, /manager/, 'the nearest key')
  org.drop('spool/two.md', message({ to: 'cfo', subject: 'still here' }))
  await until('mail goes on', () => lettersOf(org.root, 'cfo').length === 2)
  writeFileSync(org.at('policies/agents/cfo.md'), '---\ntitle: CFO\nmanager: legal\n---\nYou are the CFO.\n')
  await until('the alert closes with its cause', () => !alertOf(org.root, 'config-invalid'))

  rmSync(org.at('policies/org.yaml'))
  await until('config-invalid again', () => alertOf(org.root, 'config-invalid'))
  org.drop('spool/three.md', message({ to: 'cfo', subject: 'and still' }))
  await until('mail goes on', () => lettersOf(org.root, 'cfo').length === 3)
  t.ok(org.running())
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === 3 && line.copies === 3, JSON.stringify(line))
})

t.test('no more than org.yaml, one person and one agent is needed; every folder and AGENTS.md of at most 500 tokens is made', async (t) => {
  const org = await organisation(t, { agents: { legal: '' } })
  await org.up()
  for (const folder of ['spool/legal', 'spool/operator', 'spool/files', 'spool/alerts/done', 'spool/held', '.penny', 'workspaces/operator/new'])
    t.ok(exists(org.at(folder)), folder)
  for (const folder of ['new', 'cur', 'done', 'outbox/files', 'sent', 'attachments', 'runs', 'home']) t.ok(exists(org.at('workspaces/legal', folder)), folder)
  const guide = readFileSync(org.at('workspaces/legal/home/AGENTS.md'), 'utf8')
  t.ok(guide.length > 400 && guide.length <= 2000, `AGENTS.md has ${guide.length} characters (4 a token)`)
  t.match(readFileSync(org.at('workspaces/legal/home/CLAUDE.md'), 'utf8'), /AGENTS\.md/)
  t.match(readFileSync(org.at('workspaces/legal/home/ROLE.md'), 'utf8'), /You are legal\./)
})

t.test(
  'a file or folder that the daemon may not read is alerted, and does not hold up the mail of others',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    // root reads everything, so the daemon runs as an ordinary user here
    const org = await organisation(t, AM_ROOT ? { as: ORDINARY } : {})
    await org.up()
    org.drop('spool/legal/locked.md', message({ subject: 'locked' }))
    await until('delivered', () => lettersOf(org.root, 'legal')[0])
    t.equal((await run(['chmod', '000', org.at('spool/pmo')])).status, 0)
    t.teardown(() => run(['chmod', '755', org.at('spool/pmo')]))
    // the daemon may mend the folder itself and close the alert
    await until('unreadable-file', () =>
      [...alertsOf(org.root), ...alertsOf(org.root, 'alerts/done')].find((alert) => alert.code === 'unreadable-file' && alert.text.includes('spool/pmo')),
    )
    org.drop('spool/legal/next.md', message({ subject: 'next' }))
    await until('the mail of others', () => lettersOf(org.root, 'legal').length === 2)
    await run(['chmod', '755', org.at('spool/pmo')])
    await until('the alert closes', () => !alertOf(org.root, 'unreadable-file', 'spool/pmo'))
    org.drop('spool/pmo/again.md', message({ subject: 'again' }))
    await until('its mail too', () => lettersOf(org.root, 'pmo')[0])
    const line = await accounting(org)
    t.ok(isTrue(line) && line.admitted === 3 && line.copies === 3, JSON.stringify(line))
  },
)
