import { chmodSync, lchownSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE } from './driver.ts'

t.test('a daemon in the background that does not start says why and how to mend it once, as the one in the foreground', async (t) => {
  const org = await organisation(t)
  writeFileSync(org.at('policies/org.yaml'), 'name: acme\npostmaster: operator\nretention: @5\n')
  const [detached, foreground] = [await org.penny(['up', '--detach']), await org.penny(['up'])]
  for (const { status, err } of [detached, foreground]) {
    t.equal(status, 78)
    t.match(err, 'policies/org.yaml:3:12: a value that begins with @ needs quotes: write retention: "@5"')
    t.same(err.match(/fix: .*/g), [`fix: \${EDITOR:-vi} ${org.at('policies/org.yaml')}`])
  }
  t.match(detached.err, /^the daemon did not start\n {2}why: /)
})

t.test('up --strict refuses owners and modes that deviate, which it would mend otherwise', async (t) => {
  const org = await organisation(t)
  const strict = async (): Promise<unknown> => org.penny(['up', '--detach', '--strict'])
  t.match(await strict(), { status: 0, err: '' }, 'folders that were never made are no deviation')
  t.match(await org.penny(['down']), { status: 0 })
  chmodSync(org.at('spool/legal'), 0o777)
  chmodSync(org.at('workspaces/legal/sent'), 0o755)
  t.match(await strict(), {
    status: 78,
    err: new RegExp(`^${org.at('spool/legal')} has mode 0777, not 1733\\n.*1 more deviation.*\\n +fix: chmod 1733 ${org.at('spool/legal')}\\n$`),
  })
  t.match(await org.penny(['up', '--detach']), { status: 0 })
  t.match(await org.penny(['down']), { status: 0 })
  t.match(await strict(), { status: 0 }, 'it was mended')
  t.match(await org.penny(['down']), { status: 0 })
})

t.test('no agent keeps the mail of the others down with what up --strict refuses', async (t) => {
  const org = await organisation(t)
  const strict = async (): Promise<unknown> => org.penny(['up', '--detach', '--strict'])
  t.match(await org.penny(['up', '--detach']), { status: 0 })
  t.match(await org.penny(['down']), { status: 0 })
  await org.as('legal', 'chmod 755 home; chmod 0 new; rmdir outbox/files; ln -s / outbox/files')
  // The box of an agent that there is not yet, and where anybody can make a folder.
  mkdirSync(org.at('spool/revenue'))
  writeFileSync(org.at('policies/agents/revenue.md'), '---\ntitle: Revenue\n---\nYou are new.\n')
  if (AM_ROOT) {
    for (const name of ['newbie', 'circle']) writeFileSync(org.at(`policies/agents/${name}.md`), `---\ntitle: The ${name}\n---\nYou are new.\n`)
    writeFileSync(org.at('spool/newbie'), 'no folder')
    symlinkSync('circle', org.at('spool/circle'))
    // Where the alerts were lost: whose their folder is, his is what lies in it.
    rmSync(org.at('spool/alerts'), { recursive: true })
    mkdirSync(org.at('spool/alerts/done'), { recursive: true })
    for (const path of ['revenue', 'newbie', 'circle', 'alerts', 'alerts/done']) lchownSync(org.at('spool', path), ORDINARY.uid, ORDINARY.gid)
  } else chmodSync(org.at('spool/revenue'), 0o1733)
  t.match(await strict(), { status: 0, err: '' })
  t.match(await org.penny(['down']), { status: 0 })
})

t.test('a first start that failed leaves nothing that up --strict refuses', async (t) => {
  const org = await organisation(t)
  const good = readFileSync(org.at('policies/org.yaml'))
  writeFileSync(org.at('policies/org.yaml'), 'nam: acme\n')
  t.match(await org.penny(['up', '--detach', '--strict']), { status: 78, err: /did you mean name/ })
  writeFileSync(org.at('policies/org.yaml'), good)
  t.match(await org.penny(['up', '--detach', '--strict']), { status: 0, err: '' })
  t.match(await org.penny(['down']), { status: 0 })
})

t.test(
  'an ordinary user is shown no fix that only root can paste',
  { skip: AM_ROOT && REACHABLE ? false : 'it takes root, and a checkout that others can read' },
  async (t) => {
    const org = await organisation(t, { as: ORDINARY, agents: { legal: 'jail: none\nrunner: { command: [cat] }\n' } })
    await org.up()
    const findings = await org.json(['doctor'])
    t.match(
      findings.filter(({ check }) => check === 'walls'),
      [{ outcome: 'note', what: /only a daemon that root starts/, fix: '' }],
    )
    for (const { check, fix } of findings) t.notMatch(String(fix), /^(chown|sudo \S*penny)/, String(check))
  },
)
