import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap, { type Test } from 'tap'
import { AM_ROOT, accounting, isTrue, ORDINARY, type Organisation, organisation, REACHABLE } from '../e2e/driver.ts'
import { alertOf, filesIn, heldFiles, lettersOf, message, pause, sentBy, until } from '../e2e/files.ts'

const only = { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0 and a built command that others may read' }
const SECRET = 'of the one user alone'
const SHAPE = {
  agents: { legal: 'reads: [pmo]\n', pmo: '', bot: 'runner: { command: [./say.sh] }\n' },
  people: { ann: 'user: "12345"\n' },
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  policies: { 'runners/say.sh': '#!/bin/sh\necho said; cat kept.txt 2>&1; echo more >> kept.txt\n' },
}

type Ids = Readonly<{ uid: number; gid: number }>
type Row = Ids & Readonly<{ path: string; mode: string; isFolder: boolean }>
const idsOf = (path: string): Ids => ({ uid: lstatSync(path).uid, gid: lstatSync(path).gid })
const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8)

/** The folder and all below it, whatever the names are. */
function rowsOf(folder: string): Row[] {
  const { stdout } = spawnSync('find', [folder, '-printf', '%U %G %m %y %p\\0'], { encoding: 'latin1' })
  return stdout
    .split('\0')
    .slice(0, -1)
    .map((line) => {
      const [uid = '', gid = '', mode = '', kind = '', ...path] = line.split(' ')
      return { uid: Number(uid), gid: Number(gid), mode, isFolder: kind === 'd', path: path.join(' ') }
    })
}
const below = (folder: string): Row[] => rowsOf(folder).slice(1)

function findLetter(org: Organisation, holder: string, subject: string): ReturnType<typeof lettersOf>[number] | undefined {
  return lettersOf(org.root, holder).find((one) => one.head.get('subject') === subject)
}

/** An organisation of one user, with something in every place. */
async function withoutWalls(t: Test): Promise<Organisation> {
  const org = await organisation(t, { ...SHAPE, as: ORDINARY })
  await org.up()
  const got = (holder: string, subject: string): ReturnType<typeof until<ReturnType<typeof lettersOf>[number]>> =>
    until(`${subject} at ${holder}`, () => findLetter(org, holder, subject))
  for (const subject of ['open', 'claimed', 'settled', 'long ago']) org.drop(`spool/legal/${subject}.md`, message({ subject }))
  org.drop('workspaces/pmo/outbox/files/a.txt', 'text')
  org.drop('workspaces/pmo/outbox/attached.md', message({ to: 'legal, ann', subject: 'attached', attach: 'a.txt' }).replace('legal, ann', '[legal, ann]'))
  org.drop('spool/bot/run.md', message({ subject: 'run' }))
  org.drop('workspaces/pmo/outbox/wrong.md', message({ to: 'legal', subject: 'wrong', prioirty: 'high' }))
  org.drop('workspaces/pmo/outbox/wrong-2.md', message({ to: 'legal', subject: 'wrong', prioirty: 'high' }))
  org.drop('spool/nobodys.md', message({ to: 'lega', subject: 'whose' }))
  await got('ann', 'attached')
  await org.as(
    'legal',
    'mv "new/$1" cur/; mv "new/$2" "new/$3" done/',
    (await got('legal', 'claimed')).file,
    (await got('legal', 'settled')).file,
    (await got('legal', 'long ago')).file,
  )
  await until('the run', () => findLetter(org, 'operator', 'Re: run') ?? lettersOf(org.root, 'operator').find(({ head }) => head.get('from') === 'bot'))
  await until('held', () => heldFiles(org.root).length === 3)
  await until(
    'settled',
    () => findLetter(org, 'legal', 'long ago')?.head.get('status') === 'done' && findLetter(org, 'legal', 'claimed')?.head.get('status') === 'in_progress',
  )
  const [closed] = filesIn(org.at('spool/alerts')).filter((file) => file.startsWith('unknown-key'))
  await org.as('pmo', 'mv "../../spool/alerts/$1" ../../spool/alerts/done/', closed ?? '')
  await pause(500)
  await org.end()
  // Only between two daemons is a month put away by the date of its file.
  const past = findLetter(org, 'legal', 'long ago')?.path ?? ''
  utimesSync(past, new Date('2026-03-10'), new Date('2026-03-10'))
  await org.up()
  await until('its month', () => existsSync(org.at('workspaces/legal/done/2026-03')))
  await org.end()
  // What lies about, dropped or kept, when nobody runs.
  org.drop('workspaces/pmo/outbox/files/b.txt', 'text b')
  org.drop('workspaces/pmo/outbox/waiting.md', message({ to: 'legal', subject: 'waiting', attach: 'b.txt' }))
  org.drop('spool/legal/in-the-box.md', message({ subject: 'in the box' }))
  org.drop('spool/in-the-spool.md', message({ to: 'legal', subject: 'in the spool' }))
  const home = org.at('workspaces/legal/home')
  mkdirSync(join(home, 'deep/er'), { recursive: true, mode: 0o755 })
  writeFileSync(join(home, 'deep/er/file'), 'mine', { mode: 0o600 })
  writeFileSync(join(home, 'deep/tool'), '#!/bin/sh\necho tool\n')
  const kept = org.at('workspaces/bot/home/kept.txt')
  writeFileSync(kept, `kept\n${readFileSync(kept, 'utf8')}`)
  writeFileSync(Buffer.concat([Buffer.from(`${home}/odd-`), Buffer.from([0xff, 0x0a])]), 'odd')
  symlinkSync('deep/tool', join(home, 'link'))
  spawnSync('chown', ['-hR', `${ORDINARY.uid}:${ORDINARY.gid}`, home, org.at('workspaces/bot/home')])
  chmodSync(join(home, 'deep/tool'), 0o6755)
  // And what is not the agents': another name of a file elsewhere, a file of a third.
  writeFileSync(`${org.base}/secret`, SECRET, { mode: 0o600 })
  chownSync(`${org.base}/secret`, ORDINARY.uid, ORDINARY.gid)
  linkSync(`${org.base}/secret`, join(home, 'hard'))
  symlinkSync(`${org.base}/secret`, join(home, 'soft'))
  writeFileSync(join(home, 'third'), 'of a third', { mode: 0o600 })
  chownSync(join(home, 'third'), 777, 777)
  return org
}

const settled = (org: Organisation): boolean => rowsOf(org.root).every(({ uid, isFolder, path }) => !isFolder || uid !== ORDINARY.uid || path === org.root)

tap.test('an organisation of one user gets walls: every row of the table holds, also within the folders, and work goes on', only, async (t) => {
  const before = await withoutWalls(t)
  const accounts = lettersOf(before.root, 'legal').map(({ id, body }) => `${id} ${body.toString()}`)
  const org = await organisation(t, { existing: before.base })
  await org.up()
  await until('everything is given', () => settled(org))
  for (const name of ['legal', 'pmo', 'bot']) {
    const a = idsOf(org.at('workspaces', name, 'outbox'))
    const readers = statSync(org.at('workspaces', name)).gid
    t.ok(a.uid >= 410_000 && a.gid === a.uid, name)
    for (const row of ['new', 'cur', 'done'].flatMap((folder) => rowsOf(org.at('workspaces', name, folder))))
      t.match(row, { uid: a.uid, gid: readers, mode: row.isFolder ? '2750' : '640' }, row.path)
    for (const row of ['outbox', 'home'].flatMap((folder) => rowsOf(org.at('workspaces', name, folder))))
      if (!/\/(hard|third|soft)$/.test(row.path)) t.match(row, a, row.path)
    for (const row of ['sent', 'attachments', 'runs'].flatMap((folder) => rowsOf(org.at('workspaces', name, folder))))
      t.match(row, { uid: 0, gid: a.gid, mode: row.isFolder ? '750' : '640' }, row.path)
  }
  for (const row of below(org.at('workspaces/ann'))) t.match(row, { uid: 12_345 }, row.path)
  for (const row of ['workspaces/operator', '.penny', 'policies', 'spool/alerts'].flatMap((path) => rowsOf(org.at(path)))) t.match(row, { uid: 0 }, row.path)
  for (const row of rowsOf(org.at('policies'))) t.match(row.mode, row.isFolder ? /^2770$/ : /^(?:660|770)$/, row.path)
  t.ok(
    below(org.at('workspaces/legal/done')).some(({ path }) => path.includes('/2026-03/')),
    'also in the months',
  )

  t.comment('what was not theirs')
  const home = org.at('workspaces/legal/home')
  t.same(idsOf(join(home, 'hard')), ORDINARY, 'a file with another name elsewhere is not given away')
  t.equal(modeOf(`${org.base}/secret`), '600')
  t.same(idsOf(`${org.base}/secret`), ORDINARY, 'nor what a link leads to')
  t.same(idsOf(join(home, 'third')), { uid: 777, gid: 777 }, 'nor a file of a third')
  t.equal(modeOf(join(home, 'deep/tool')), '755', 'no set-id bit survives')
  t.equal(modeOf(join(home, 'deep/er/file')), '600')
  const alert = await until('what was left is told', () => alertOf(org.root, 'unsafe-file', 'workspaces/legal/home'))
  t.match(alert.text, /hard has 2 names/)
  t.match((await org.penny(['events', '--since', '1h'])).out, /gave: workspaces\/legal\/new to \d+:\d+, with \d+ entr/)

  t.comment('nothing is lost, nothing comes twice')
  for (const subject of ['waiting', 'in the box', 'in the spool']) await until(subject, () => findLetter(org, 'legal', subject))
  await pause(2_500)
  const subjects = lettersOf(org.root, 'legal').map(({ head }) => head.get('subject'))
  t.same(new Set(subjects), new Set(['attached', 'claimed', 'in the box', 'in the spool', 'long ago', 'open', 'settled', 'waiting']))
  t.equal(subjects.length, 8)
  t.match(Object.fromEntries(findLetter(org, 'legal', 'in the spool')?.head ?? []), { from: 'operator', via: 'person' })
  t.match(Object.fromEntries(findLetter(org, 'legal', 'waiting')?.head ?? []), { from: 'pmo', via: 'agent' })
  const now = lettersOf(org.root, 'legal').map(({ id, body }) => `${id} ${body.toString()}`)
  for (const one of accounts) t.ok(now.includes(one), 'as it was')
  t.ok(isTrue(await accounting(org)))
  for (const code of ['tampered', 'missing-message', 'status-conflict', 'unknown-sender', 'run-failed']) t.notOk(alertOf(org.root, code), `no ${code}`)

  t.comment('the agents work on')
  await org.as('legal', 'mv "new/$1" cur/', findLetter(org, 'legal', 'open')?.file ?? '')
  await until('claimed', () => findLetter(org, 'legal', 'open')?.head.get('status') === 'in_progress')
  await org.as('legal', 'sed -i "s/^status: .*/status: done/" "cur/$1"', findLetter(org, 'legal', 'claimed')?.file ?? '')
  await until('settled', () => findLetter(org, 'legal', 'claimed')?.folder === 'done')
  await org.as('legal', 'mv "new/$1" done/; echo x >> home/deep/er/file; home/deep/tool; rm home/link', findLetter(org, 'legal', 'attached')?.file ?? '')
  await until('the mirror follows', () => sentBy(org.root, 'pmo').some(({ head }) => head.get('subject') === 'attached' && head.get('status') === 'done'))
  await org.as('legal', 'cat attachments/*/a.txt; printf -- "---\\nto: pmo\\nsubject: new\\n---\\nx" > outbox/.n; mv outbox/.n outbox/n.md')
  await until('sent', () => findLetter(org, 'pmo', 'new'))
  org.drop('spool/bot/again.md', message({ subject: 'again' }))
  const reply = await until('a run', () =>
    lettersOf(org.root, 'operator').find(({ head, body }) => head.get('from') === 'bot' && body.toString().startsWith('said\nkept\n')),
  )
  t.match(reply.body.toString(), /\nmore\n$/, 'what it kept before')

  t.comment('held files are let go in the name of who sent them')
  for (const held of heldFiles(org.root)) {
    writeFileSync(held.path, held.raw.toString().replace('prioirty', 'priority').replace('to: lega\n', 'to: legal\n'))
    const { status, err } = await org.penny(['release', held.path])
    t.equal(status, 0, err)
  }
  await until('two of pmo', () => lettersOf(org.root, 'legal').filter(({ head }) => head.get('subject') === 'wrong' && head.get('from') === 'pmo').length === 2)
  t.equal(findLetter(org, 'legal', 'whose')?.head.get('from'), 'operator')

  const wrongs = (await org.json(['doctor'])).filter(({ outcome, what }) => outcome === 'wrong' && !String(what).includes(`${org.base} `))
  t.same(
    wrongs.map(({ what }) => what).filter((what) => !/(hard|third)/.test(String(what))),
    [],
  )
})
