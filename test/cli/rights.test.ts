import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { byWhoMay } from '../../src/cli/rights.ts'
import { openOrganisation, organisation, penny, pennyOfAStranger, write } from './called.ts'

const AM_ROOT = process.geteuid?.() === 0
const STRANGER = AM_ROOT ? 54_321 : (process.geteuid?.() ?? 0)

/** A checkout is an organisation itself. */
function outside(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'penny-outside-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('in the wrong folder the fix is the same command where the organisation is', async (t) => {
  const above = outside(t)
  organisation(t, `${above}/acme`)
  t.match((await penny(['tasks', 'overdue'], { cwd: above })).err, `fix: penny tasks overdue --root ${above}/acme\n`, 'it was made, and not entered')
  t.match((await penny(['tasks', '--root', `${above}/acme/policies`])).err, `fix: penny tasks --root ${above}/acme\n`, 'a folder of it was named')
  t.match((await penny(['tasks', '--root', `${above}/acem`])).err, `fix: penny tasks --root ${above}/acme\n`, 'it was misspelt')
  organisation(t, `${above}/other`)
  t.match((await penny(['tasks', '--root', `${above}/acem`])).err, `fix: penny init ${above}/acem\n`, 'nobody knows which of two is meant')
})

t.test('outside of any organisation each user is told to make one where they may', async (t) => {
  const cwd = outside(t)
  t.match((await penny(['tasks'], { cwd, uid: 1000 })).err, /fix: penny init ~\/acme {3}# a new one; .*\n/)
  t.match((await penny(['tasks'], { cwd, uid: 0 })).err, /fix: penny init \/var\/lib\/pennypost {3}# a new one; .*\n/)
  const home = outside(t)
  organisation(t, `${home}/acme`)
  t.match((await penny(['tasks', 'overdue'], { cwd, env: { HOME: home } })).err, `fix: penny tasks overdue --root ${home}/acme\n`, 'the one at home')
})

t.test('commands in fixes mean the organisation that --root named', async (t) => {
  const root = organisation(t)
  t.match((await penny(['status', '--root', root])).err, `fix: penny up --root ${root} --detach\n`)
  t.match((await penny(['status', `--root=${root}`])).err, `fix: penny up --root ${root} --detach\n`)
  t.match((await penny(['status'], { cwd: root })).err, 'fix: penny up --detach\n')
  t.match((await penny(['tasks', 'a', 'b', '--json=x', '--root', root])).err, 'fix: penny help tasks\n')
})

t.test('a folder that is closed is no folder that is not there; its owner opens it, others call its owner', async (t) => {
  const root = openOrganisation(t)
  if (AM_ROOT) chownSync(root, STRANGER, STRANGER)
  for (const command of [['tasks'], ['up'], ['up', '--detach'], ['doctor'], ['send', 'legal', '-m', 'x']]) {
    chmodSync(root, 0)
    const { status, err } = await pennyOfAStranger([...command, '--root', root])
    chmodSync(root, 0o755)
    t.equal(status, 77, command.join(' '))
    t.match(err, `you may not look into ${root}\n`)
    t.match(err, `fix: chmod u+rwX ${root}\n`)
  }
})

t.test('who may not read the policies cannot start the daemon: not permitted, rather than no organisation', { skip: !AM_ROOT }, async (t) => {
  const root = openOrganisation(t)
  chmodSync(`${root}/policies`, 0o700)
  for (const command of [['up'], ['up', '--detach']]) {
    const { status, err } = await pennyOfAStranger([...command, '--root', root])
    t.equal(status, 77)
    t.match(err, `you may not read ${root}/policies/org.yaml\n`)
    t.match(err, /fix: sudo \S+ up .*--root/)
  }
})

t.test('who is not the one that runs an organisation is told to act as that user', { skip: !AM_ROOT }, async (t) => {
  const root = openOrganisation(t)
  const fixes = (uid: number): string[] =>
    ['penny up --detach', 'sudo penny …'].map((fix) => byWhoMay({ typed: ['/opt/penny', 'tasks', '--root', root], env: {}, uid, cwd: '/' }, fix))
  t.match(fixes(1000), [`sudo /opt/penny up --detach --root ${root}`, `sudo /opt/penny tasks --root ${root}   # or join the operators group`])
  chownSync(`${root}/.penny`, 1234, 1234)
  t.match(fixes(1000), [`sudo -u '#1234' /opt/penny up --detach --root ${root}`, `sudo -u '#1234' /opt/penny tasks --root ${root}   # uid 1234 runs`])
  t.equal(fixes(1234)[0], 'penny up --detach')
  t.equal(fixes(0)[0], 'penny up --detach', 'root may choose system mode')
})

t.test('init where this user may not write is not permitted, and goes elsewhere', async (t) => {
  const closed = openOrganisation(t)
  mkdirSync(`${closed}/closed`)
  chmodSync(`${closed}/closed`, 0o555)
  t.teardown(() => chmodSync(`${closed}/closed`, 0o755))
  const { status, err } = await pennyOfAStranger(['init', `${closed}/closed/acme`])
  t.equal(status, 77)
  t.match(err, `you may not make ${closed}/closed/acme\n`)
  t.match(err, /fix: penny init ~\/acme /)
})

t.test('a folder of this user that is closed to itself is opened, not passed by root', async (t) => {
  for (const [closed, ...args] of [
    ['spool', 'send', 'legal', '-m', 'x'],
    ['policies', 'agents'],
    ['.penny/journal', 'events', '--since', '2026-11-21'],
    ['workspaces/legal/new', 'tasks', '--agent', 'legal'],
    ['workspaces/legal/new', 'show', 'aaaa1111'],
  ] as const) {
    const root = openOrganisation(t)
    if (closed === 'policies') write(`${root}/policies/agents/legal.md`, '---\n"title": Only a whole parser reads this\n---\n')
    // Whatever the command loads, it loads here: a stranger may not read this checkout.
    await penny([...args, '--root', root])
    if (AM_ROOT) chownSync(`${root}/${closed}`, STRANGER, STRANGER)
    chmodSync(`${root}/${closed}`, 0)
    const { status, err } = await pennyOfAStranger([...args, '--root', root])
    chmodSync(`${root}/${closed}`, 0o755)
    t.equal(status, 77, err)
    t.match(err, `fix: chmod u+rwX ${root}/${closed}\n`, args.join(' '))
  }
})
