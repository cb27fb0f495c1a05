import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, type Organisation, organisation, run } from './driver.ts'
import { type AlertFile, alertOf, alertsOf, heldFiles, lettersOf, message, until } from './files.ts'

/** What the shell, a terminal and a reader's eye could be fooled by; no file's name can hold more than this. */
const TRAP = `; touch x #$(id) 'q" \`id\` !! \\ & | > y\n\u001b[31m\u202e`
const SUBJECT = `a; touch x #$(id) 'q" \`id\``
const COMMANDS = ['ls', 'mv', 'rm', 'cp', 'cat', 'stat', 'diff', 'vi', 'penny', 'find', 'touch', 'id', 'less', 'df', 'iconv']
const yaml = (lines: string): string => `---\nto: legal\n${lines}\n---\nbody\n`

/** Nothing in it moves a cursor or turns a line round, and the lines are those that the daemon made. */
function rawIn(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
  return text.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g) ?? []
}

/** Pastes a command into bash, where every program only tells how it was called, byte by byte. */
async function paste(org: Organisation, command: string): Promise<string[][]> {
  const stubs = `${org.base}/stubs`
  const log = `${org.base}/pasted`
  rmSync(log, { force: true })
  mkdirSync(stubs, { recursive: true })
  for (const name of COMMANDS) {
    writeFileSync(`${stubs}/${name}`, `#!/bin/sh\nprintf '%s\\0' "\${0##*/}" "$@" >> '${log}'\nprintf '\\0' >> '${log}'\n`)
    chmodSync(`${stubs}/${name}`, 0o755)
  }
  writeFileSync(`${stubs}/mktemp`, '#!/bin/sh\necho /dev/null\n', { mode: 0o755 })
  const done = await run(['/bin/bash', '-c', command], { cwd: org.root, env: { PATH: stubs, EDITOR: '' } })
  if (done.status !== 0) throw new Error(`${command}: ${done.err}`)
  const told = readFileSync(log, 'latin1').split('\0\0')
  return told.filter((call) => call !== '').map((call) => call.split('\0'))
}

/** What it names is there: the first path of each command, as the shell read it. */
async function check(t: Tap, org: Organisation, alert: AlertFile): Promise<void> {
  const fix = alert.head.get('fix') ?? ''
  t.same(rawIn(alert.text), [], `${alert.file}: nothing raw`)
  t.ok(alert.text.includes(`\n    ${fix}\n`), `${alert.file}: the fix is one line: ${fix}`)
  const calls = await paste(org, fix)
  t.ok(calls.length > 0 && !calls.some(([name]) => name === 'touch' || name === 'id'), `${alert.file}: runs what it says and nothing else: ${fix}`)
  for (const [name = '', ...words] of calls) {
    const path = words.find((word) => /^(spool|workspaces|policies)\//.test(word))
    // What is missing is not there yet, but the folder that it is copied to.
    const there = words[0] === 'THE-MISSING-FILE' ? path?.slice(0, path.lastIndexOf('/')) : path
    if (there !== undefined && name !== 'find')
      t.ok(lstatSync(Buffer.from(`${org.root}/${there}`, 'latin1'), { throwIfNoEntry: false }), `${alert.file}: ${name} means a file that is there`)
  }
}
type Tap = Readonly<{ ok: (what: unknown, message: string) => unknown; same: (is: unknown, wanted: unknown, message: string) => unknown }>

t.test('whatever a file is called, its alert shows nothing raw, and its fix: is about that very file and starts nothing else', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', ceo: '', narrow: 'may_write_to: [legal]\n' } })
  await org.up()
  const drops: Readonly<Record<string, string | Buffer>> = {
    'too-large': message({ to: 'legal' }, 'x'.repeat(256 * 1024)),
    'bad-encoding': Buffer.from('---\nto: legal\nsubject: Gr\xfc\xdfe\n---\nbody\n', 'latin1'),
    'bad-front-matter': yaml('subject: Done: see x'),
    'bad-value': yaml('due: someday'),
    'unknown-key': yaml('prioirty: high'),
    'unknown-priority': yaml('priority: asap'),
    'unknown-recipient': message({ to: '"a; touch x #$(id)"' }),
    'forged-sender': message({ to: 'legal', from: 'ceo' }),
    'missing-attachment': message({ to: 'legal', attach: JSON.stringify([`gone${SUBJECT}`]) }),
    'ref-reused': message({ to: 'legal', ref: 'one' }, 'other'),
    'not-permitted': message({ to: 'ceo' }),
  }
  org.drop('workspaces/pmo/outbox/first.md', message({ to: 'legal', ref: 'one' }, 'first'))
  await until('the first of that ref', () => lettersOf(org.root, 'legal')[0])
  for (const [code, text] of Object.entries(drops)) org.drop(`workspaces/${code === 'not-permitted' ? 'narrow' : 'pmo'}/outbox/${code}${TRAP}.md`, text)
  org.drop(`spool/legal/named${TRAP}-urgent.md`, message({ subject: 'named' }))
  org.drop(`spool/legal/stray${TRAP}.pdf`, '%PDF-1.4')
  writeFileSync(Buffer.concat([Buffer.from(org.at('spool/legal/latin')), Buffer.from([0xe9, 0x20, 0x3b]), Buffer.from('.pdf')]), '%PDF-1.4')
  await org.as('pmo', 'touch "new/$1"', `lost${TRAP}.txt`)
  mkdirSync(org.at(`spool/box${TRAP}`))
  mkdirSync(org.at(`spool/it's $(id)`))
  org.drop(`spool/it's $(id)/inside.md`, message({ subject: 'inside' }))
  mkdirSync(org.at(`spool/legal/folder${TRAP}.md`))
  symlinkSync('/etc/passwd', org.at(`spool/legal/link${TRAP}.md`))
  writeFileSync(`${org.base}/two-names`, 'x')
  linkSync(`${org.base}/two-names`, org.at(`spool/legal/hard${TRAP}.md`))

  const expected: [string, string][] = [
    ...Object.keys(drops).map((code): [string, string] => [code, code]),
    ['priority-in-name', 'named'],
    ['unmatched-file', 'stray'],
    ['unmatched-file', 'latin'],
    ['unmatched-file', 'lost'],
    ['unmatched-file', 'spool/box'],
    ['unknown-recipient', 'inside'],
    ['unsafe-file', 'folder'],
    ['unsafe-file', 'link'],
    ['unsafe-file', 'hard'],
  ]
  for (const [code, mention] of expected)
    await t.test(`${code}: ${mention}`, async (t) => check(t, org, await until(`${code} of ${mention}`, () => alertOf(org.root, code, mention))))
  if (AM_ROOT) {
    org.drop(`spool/legal/stranger${TRAP}.md`, message({ subject: 'stranger' }), { uid: 54321, gid: 54321 })
    await check(t, org, await until('unknown-sender', () => alertOf(org.root, 'unknown-sender')))
  }
  writeFileSync(org.at(`policies/agents/${SUBJECT}.md`), 'x')
  await check(t, org, await until('config-invalid', () => alertOf(org.root, 'config-invalid')))
  for (const held of heldFiles(org.root)) t.same(rawIn(held.why ?? 'no reason \u0007'), [], `${held.code}: nothing raw in why`)
  t.notOk(readdirSync(org.root).some((name) => name === 'x' || name === 'y'))
  for (const command of ['alerts', 'held', 'status']) t.same(rawIn((await org.penny([command])).out), [], `penny ${command} shows nothing raw`)
})

t.test("whatever a message's subject says, the fix: of what becomes of it starts nothing of it", async (t) => {
  const runner = `runner:\n  command: [./fails.sh]\n  max_attempts: 1\n`
  const org = await organisation(t, { agents: { legal: '', pmo: '', ops: runner }, policies: { 'runners/fails.sh': '#!/bin/sh\nexit 1\n' } })
  await org.up()
  const subject = JSON.stringify(SUBJECT)
  org.drop('workspaces/pmo/outbox/fail.md', message({ to: 'ops', subject }))
  const tasks = []
  for (const what of ['tamper', 'vanish', 'reopen', 'break']) {
    org.drop(`workspaces/pmo/outbox/${what}.md`, message({ to: 'legal', subject }, what))
    tasks.push(await until(what, () => lettersOf(org.root, 'legal').find((letter) => letter.body.toString() === what)))
  }
  const [tampered, vanished, reopened, broken] = tasks.map((task) => task.file)
  await org.as(
    'legal',
    'sed -i "s/^from: .*/from: ceo/" "new/$1"; rm "new/$2"; mv "new/$3" done/; mv "new/$4" cur/',
    ...([tampered, vanished, reopened, broken] as string[]),
  )
  await until('one is done and one is claimed', () =>
    ['done', 'in_progress'].every((status) => lettersOf(org.root, 'legal').some((one) => one.head.get('status') === status)),
  )
  await org.as('legal', 'mv "done/$1" new/; sed -i "/^status:/a result: Done: see x" "cur/$2"', ...([reopened, broken] as string[]))
  for (const code of ['run-failed', 'tampered', 'missing-message', 'status-conflict', 'bad-front-matter'])
    await check(t, org, await until(code, () => alertOf(org.root, code)))
  t.ok(alertsOf(org.root).every((alert) => rawIn(alert.text).length === 0))
})
