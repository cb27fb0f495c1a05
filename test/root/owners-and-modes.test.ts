import { readFileSync, statSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, type Organisation, organisation, run } from '../e2e/driver.ts'
import { alertOf, filesIn, heldFiles, lettersOf, message, sentBy, until } from '../e2e/files.ts'

type Row = Readonly<{ path: string; uid: number; gid: number; mode: string }>

function row(org: Organisation, path: string): Row {
  const { uid, gid, mode } = statSync(org.at(path))
  return { path, uid, gid, mode: (mode & 0o7777).toString(8) }
}

const system = { skip: AM_ROOT ? false : 'needs uid 0: system mode' }

tap.test('in system mode every folder and file has the owner and mode of the table', system, async (t) => {
  const org = await organisation(t, { agents: { legal: 'reads: [pmo]\n', pmo: '' }, people: { ann: 'user: "65534"\n' } })
  await org.up()
  org.drop('workspaces/pmo/outbox/files/a.txt', 'text')
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one', attach: 'a.txt' }))
  const letter = await until('mail', () => lettersOf(org.root, 'legal')[0])
  await until('the mirror', () => sentBy(org.root, 'pmo')[0])
  const a = { uid: statSync(org.at('workspaces/legal/outbox')).uid, gid: statSync(org.at('workspaces/legal/outbox')).gid }
  const readers = statSync(org.at('workspaces/legal')).gid
  const other = { uid: statSync(org.at('workspaces/pmo/outbox')).uid, gid: statSync(org.at('workspaces/pmo/outbox')).gid }
  t.ok(a.uid >= 410000 && a.uid <= 419999 && other.uid >= 410000 && a.uid !== other.uid, 'a uid of the range for each')
  t.equal(new Set([a.gid, readers, other.gid, statSync(org.at('workspaces/pmo')).gid]).size, 4, 'a group and a group of readers for each')
  for (const path of ['spool', 'spool/legal', 'spool/pmo', 'spool/ann', 'spool/files', 'spool/legal/files'])
    t.same(row(org, path), { path, uid: 0, gid: 0, mode: '1733' })
  for (const path of ['spool/alerts', 'spool/held']) t.match(row(org, path), { uid: 0, mode: '750' })
  // What init made for everybody to read is closed when it becomes an organisation with walls.
  t.match(row(org, 'policies'), { uid: 0, mode: '2770' })
  t.match(row(org, '.penny'), { uid: 0, mode: '711' })
  t.same(row(org, 'workspaces/legal'), { path: 'workspaces/legal', uid: 0, gid: readers, mode: '711' })
  for (const folder of ['new', 'cur', 'done'])
    t.same(row(org, `workspaces/legal/${folder}`), { path: `workspaces/legal/${folder}`, uid: a.uid, gid: readers, mode: '2750' })
  for (const folder of ['outbox', 'home']) t.same(row(org, `workspaces/legal/${folder}`), { path: `workspaces/legal/${folder}`, ...a, mode: '700' })
  for (const folder of ['sent', 'attachments', 'runs'])
    t.same(row(org, `workspaces/legal/${folder}`), { path: `workspaces/legal/${folder}`, uid: 0, gid: a.gid, mode: '750' })
  const delivered = `workspaces/legal/new/${letter.file}`
  t.same(row(org, delivered), { path: delivered, uid: a.uid, gid: readers, mode: '640' })
  const attached = `workspaces/legal/attachments/${letter.id}/a.txt`
  t.same(row(org, attached), { path: attached, uid: 0, gid: a.gid, mode: '640' })
  const mirror = `workspaces/pmo/sent/${sentBy(org.root, 'pmo')[0]?.file}`
  t.same(row(org, mirror), { path: mirror, uid: 0, gid: other.gid, mode: '640' })
  for (const folder of ['new', 'cur', 'done']) t.match(row(org, `workspaces/ann/${folder}`), { uid: 65534, mode: '700' }, "a person's mailbox is that person's")
  for (const folder of ['intents', 'staging', 'sealed', 'journal']) {
    const found = statSync(org.at('.penny', folder), { throwIfNoEntry: false })
    if (found) t.equal(found.mode & 0o007 & ~0o001, 0, `.penny/${folder} is not for others`)
  }
})

tap.test('one agent reaches nothing of another: not its mail, its outbox, its mirrors, the policies, the held files', system, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', ceo: '' } })
  await org.up()
  org.drop('spool/legal/secret.md', message({ subject: 'secret' }))
  org.drop('workspaces/legal/outbox/b.md', message({ to: 'ceo', subject: 'of legal' }))
  const letter = await until('mail', () => lettersOf(org.root, 'legal')[0])
  await until('a mirror', () => sentBy(org.root, 'legal')[0])
  const pmo = { as: org.owner('pmo'), cwd: org.at('workspaces/pmo/home') }
  const forbidden = [
    'cat ../../legal/new/*',
    `cat "../../legal/new/${letter.file}"`,
    'ls ../../legal/new',
    'ls ../../legal/outbox',
    'ls ../../legal/sent',
    'ls ../../legal/home',
    'ls ../../../policies',
    'cat ../../../policies/org.yaml',
    'ls ../../../spool',
    'ls ../../../spool/held',
    'ls ../../../spool/alerts',
    'ls ../../../.penny',
    'ls ../../../.penny/journal',
    'ls ../../../.penny/sealed',
    'touch ../new/../x',
    'touch ../sent/x',
    'touch ../../legal/new/x',
    'rmdir ../new',
    'mv ../new ../old',
    'touch ../../../spool/held/x',
  ]
  for (const script of forbidden) t.not((await run(['/bin/sh', '-c', script], pmo)).status, 0, script)
  const dropped = await run(['/bin/sh', '-c', 'printf -- "---\\nto: legal\\nsubject: by hand\\n---\\nx" > ../../../spool/by-hand.md'], pmo)
  t.equal(dropped.status, 0, 'anybody may drop into the spool')
  const byHand = await until('it', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'by hand'))
  t.match(Object.fromEntries(byHand.head), { from: 'pmo', via: 'agent' }, 'the sender is whose file it is')
})

tap.test('readers read, by uids alone: who is named under reads, and managers their direct reports', system, async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: {
      pmo: 'manager: boss\n',
      auditor: 'reads: [pmo]\njail: none\nrunner: { command: [./look.sh] }\n',
      boss: 'jail: none\nrunner: { command: [./look.sh] }\n',
      stranger: 'jail: none\nrunner: { command: [./look.sh] }\n',
    },
    policies: { 'runners/look.sh': '#!/bin/sh\ncat ../../pmo/new/*.md | grep -c confidential; exit 0\n' },
  })
  await org.up()
  org.drop('spool/pmo/a.md', message({ subject: 'confidential' }, 'text\n'))
  await until('mail', () => lettersOf(org.root, 'pmo')[0])
  for (const [name, seen] of [
    ['auditor', '1\n'],
    ['boss', '1\n'],
    ['stranger', '0\n'],
  ] as const) {
    org.drop(`spool/${name}/look.md`, message({ subject: 'look' }))
    const reply = await until(`${name}'s reply`, () => lettersOf(org.root, 'operator').find((one) => one.head.get('from') === name))
    t.equal(reply.body.toString(), seen, name)
  }
})

tap.test('a run without a jail has the uid and groups of its agent, no other capability, and nothing of the daemon in its environment', system, async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { legal: 'jail: none\nrunner: { command: [./who.sh] }\n' },
    policies: {
      'runners/who.sh': '#!/bin/sh\nid -u; id -g; id -G; grep CapEff /proc/self/status; env | sort; ls -l /proc/$$/fd | grep -c . ; stat -c "%u:%g %a" "$0"\n',
    },
  })
  process.env['PENNY_TEST_SECRET'] = 'hunter2'
  t.teardown(() => delete process.env['PENNY_TEST_SECRET'])
  await org.up()
  org.drop('spool/legal/a.md', message({ subject: 'who' }))
  const reply = await until('the reply', () => lettersOf(org.root, 'operator')[0])
  const [uid, gid, groups, caps, ...rest] = reply.body.toString().trim().split('\n')
  const mine = org.owner('legal')
  const readers = statSync(org.at('workspaces/legal')).gid
  t.equal(uid, String(mine?.uid))
  t.equal(gid, String(mine?.gid))
  const allowed = [mine?.gid, readers].map(String)
  t.same(
    (groups ?? '').split(' ').filter((group) => !allowed.includes(group)),
    [],
    'no foreign group',
  )
  t.match(caps, /0000000000000000$/, 'no capability')
  t.notMatch(rest.join('\n'), /hunter2/, 'an allow-list, not the environment of the daemon')
  t.match(rest.join('\n'), /HOME=.*workspaces\/legal\/home/)
  t.match(rest.at(-1), /^0:0 755$/, 'the program is a copy that belongs to root')
  t.match(readFileSync(org.at('workspaces/legal/runs', filesIn(org.at('workspaces/legal/runs'))[0] ?? ''), 'utf8'), /CapEff/)
})

tap.test('a uid that is neither an agent nor a person is held, unless the operator accepts it; uid 0 is the postmaster', system, async (t) => {
  const stranger = { uid: 54321, gid: 54321 }
  const org = await organisation(t, { people: { ann: 'user: "65534"\n' } })
  await org.up()
  org.drop('spool/legal/stranger.md', message({ subject: 'stranger' }), stranger)
  org.drop('spool/legal/ann.md', message({ subject: 'ann' }), { uid: 65534, gid: 65534 })
  org.drop('spool/legal/root.md', message({ subject: 'root' }))
  const ann = await until('of ann', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'ann'))
  t.match(Object.fromEntries(ann.head), { from: 'ann', via: 'person' })
  const root = await until('of root', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'root'))
  t.match(Object.fromEntries(root.head), { from: 'operator', via: 'person' })
  await until('unknown-sender', () => alertOf(org.root, 'unknown-sender', 'stranger.md'))
  t.equal(heldFiles(org.root)[0]?.code, 'unknown-sender')
  await org.end()
  const open = await organisation(t, { org: 'accept_unknown_uids: true\n' })
  await open.up()
  open.drop('spool/legal/stranger.md', message({ subject: 'stranger' }), stranger)
  const letter = await until('accepted', () => lettersOf(open.root, 'legal')[0])
  t.equal(letter.head.get('via'), 'unknown')
})

tap.test('a folder that an agent deletes, renames or locks is mended and alerted, and the mail of others goes on', system, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  for (const script of ['chmod 000 new', 'chmod 777 cur', 'chmod 000 done', 'chmod 000 outbox/files', 'chmod 000 outbox', 'chmod 000 home']) {
    await org.as('pmo', script)
    const folder = script.split(' ')[2] ?? ''
    const wanted = ['outbox', 'outbox/files', 'home'].includes(folder) ? 0o700 : 0o2750
    await until(`${script}: mended`, () => (statSync(org.at('workspaces/pmo', folder)).mode & 0o7777) === wanted, 10_000)
    org.drop('spool/legal/on.md', message({ subject: script }))
    await until('the mail of others', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === script))
    org.drop('spool/pmo/own.md', message({ subject: script }))
    await until('its own mail', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === script))
  }
})
