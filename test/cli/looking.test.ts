import { chmodSync, existsSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs'
import t from 'tap'
import { deliver, idOf, objects, openOrganisation, organisation, penny, pennyOfAStranger, write } from './called.ts'
import { listen } from './spoken.ts'

const JOURNAL = '00000001-20261121T080000Z.jsonl'
const first = idOf('aaaa1111', 1)
const reply = idOf('bbbb2222', 2)
const drop = idOf('dddd0000', 1)

function told(root: string): void {
  const entries = [
    {
      at: '2026-11-21T08:00:00.000Z',
      event: 'admitted',
      drop,
      from: 'pmo',
      via: 'agent',
      sha256: '',
      thread: first,
      hops: 0,
      name: 'a.md',
      ref: 'my-ref',
      copies: [{ id: first, to: 'legal', kind: 'task', file: 'f', subject: 'Review', priority: 'normal', rank: 3 }],
    },
    { at: '2026-11-21T08:00:01.000Z', event: 'delivered', id: first, to: 'legal', file: 'f' },
    {
      at: '2026-11-21T08:01:00.000Z',
      event: 'admitted',
      drop: idOf('dddd0001', 2),
      from: 'legal',
      via: 'agent',
      sha256: '',
      thread: first,
      hops: 1,
      name: 'b.md',
      in_reply_to: first,
      copies: [{ id: reply, to: 'pmo', kind: 'note', file: 'g', subject: 'Re: Review', priority: 'normal', rank: 3 }],
    },
    { at: '2026-11-21T08:02:00.000Z', event: 'status', id: first, holder: 'legal', was: 'open', status: 'done', folder: 'done', by: 'legal', updated: '' },
  ]
  write(`${root}/.penny/journal/${JOURNAL}`, `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n{"at":"2026-11-21T08:03:00.000Z","event":"stat`)
  deliver(root, { id: first, holder: 'legal', folder: 'done' })
  deliver(root, { id: reply, holder: 'pmo', folder: 'new', head: { kind: 'note', status: '', from: 'legal', thread: first, in_reply_to: first } })
}

t.test('log tells everything that happened to a message, by id, ending or ref', async (t) => {
  const root = organisation(t)
  told(root)
  for (const typed of [first, '1111', 'my-ref']) {
    const rows = objects((await penny(['log', typed, '--json', '--root', root])).out)
    t.same(
      rows.map(({ event }) => event),
      ['admitted', 'delivered', 'admitted', 'status'],
      typed,
    )
  }
  t.match((await penny(['log', '1111', '--root', root])).out, /open → done in legal\/done by legal/)
  t.equal((await penny(['log', 'ffff', '--root', root])).status, 66)
})

t.test('thread draws the conversation with statuses', async (t) => {
  const root = organisation(t)
  told(root)
  const { out } = await penny(['thread', '2222', '--root', root])
  t.match(out, /^aaaa1111 pmo → legal \[done\] Review\n└─ bbbb2222 legal → pmo \[note\] Re: Review\n$/)
})

t.test('show and thread list what was kept of the contexts in which a message was worked on: when, by whom and where', async (t) => {
  const root = organisation(t)
  told(root)
  const runs = `${root}/workspaces/legal/runs`
  t.match(objects((await penny(['show', '1111', '--json', '--root', root])).out), [{ checkpoints: [] }])
  const names = ['checkpoint-20261121T091500000Z.md', 'checkpoint-20261121T081500250Z.md', 'checkpoint.md', 'sealed.json', 'log', 'checkpoint-1.md']
  for (const name of names) write(`${runs}/${first}.${name}`, 'sections 1-7')
  write(`${runs}/${reply}.checkpoint-20261121T091500000Z.md`, 'of another')
  utimesSync(`${runs}/${first}.sealed.json`, 0, Date.parse('2026-11-21T08:30:00Z') / 1000)
  const checkpoints = [
    { at: '2026-11-21T08:15:00.250Z', by: 'legal', bytes: 12, path: `${runs}/${first}.checkpoint-20261121T081500250Z.md` },
    { at: '2026-11-21T08:30:00.000Z', by: 'gateway', bytes: 12, path: `${runs}/${first}.sealed.json` },
    { at: '2026-11-21T09:15:00.000Z', by: 'legal', bytes: 12, path: `${runs}/${first}.checkpoint-20261121T091500000Z.md` },
  ]
  t.match(objects((await penny(['show', '1111', '--json', '--root', root])).out), [{ id: first, checkpoints }])
  const shown = (await penny(['show', '1111', '--root', root])).out
  for (const { at, by, path } of checkpoints) t.ok(shown.includes(`${at} by ${by}, `) && shown.includes(path), shown)
  const { out } = await penny(['thread', '2222', '--root', root])
  const newest = checkpoints.at(-1)
  t.equal(
    out,
    `aaaa1111 pmo → legal [done] Review\n│  3 checkpoints, the newest ${newest?.at} by legal: ${newest?.path}\n└─ bbbb2222 legal → pmo [note] Re: Review\n`,
  )
  t.match(objects((await penny(['thread', '1111', '--json', '--root', root])).out), [
    { id: first, checkpoints },
    { id: reply, checkpoints: [] },
  ])
  t.match(objects((await penny(['thread', '1111', '--json', '--agent', 'legal', '--root', root])).out), [{ id: first, checkpoints }])
})

t.test('events and report read the journal, also with a last line cut off', async (t) => {
  const root = organisation(t)
  told(root)
  t.equal(objects((await penny(['events', '--since', '2026-11-21', '--json', '--root', root])).out).length, 4)
  t.equal(objects((await penny(['events', '--since', '2026-11-21T08:01:30Z', '--json', '--root', root])).out).length, 1)
  t.equal(objects((await penny(['events', '--since', '2026-11-21', '--agent', 'pmo', '--json', '--root', root])).out).length, 2)
  t.equal((await penny(['events', '--since', 'monday', '--root', root])).status, 64)
  const report = await penny(['report', '--since', '2026-11-20', '--root', root])
  t.match(report.out, /Finished: 1\n +aaaa1111 done by legal: Review +penny show --root \S+ aaaa1111/)
})

t.test('report tells the rest where what is held cannot be listed, and says so', async (t) => {
  const root = openOrganisation(t)
  told(root)
  mkdirSync(`${root}/spool/held`)
  chmodSync(`${root}/spool/held`, 0)
  const { status, out, err } = await pennyOfAStranger(['report', '--since', '2026-11-20', '--root', root])
  t.equal(status, 0, err)
  t.match(out, /Finished: 1\n/)
  t.match(out, /Stuck and alerts: 1\n +what is held cannot be told: EACCES: [^\n]*\/spool\/held'? +(chmod|sudo) /)
})

t.test('alerts are read from their files and closed by moving them', async (t) => {
  const root = organisation(t)
  const alert = (code: string, key: string, at: string): void =>
    write(
      `${root}/spool/alerts/${code}.${key}.md`,
      `---\ncode: ${code}\nabout: ${key}\nagent: legal\npriority: urgent\nfirst_seen: ${at}\nlast_seen: ${at}\ncount: 2\nfix: "penny show \\"x\\""\n---\n# ${code}\n\nSomething is wrong.\n\nmore\n`,
    )
  alert('priority-in-name', 'one-1111', '2026-11-21T08:00:00.000Z')
  alert('tampered', 'two-2222', '2026-11-21T09:00:00.000Z')
  const rows = objects((await penny(['alerts', '--json', '--root', root])).out)
  t.match(rows, [{ code: 'tampered', severity: 'critical', fix: 'penny show "x"', count: 2, sentence: 'Something is wrong.' }, { code: 'priority-in-name' }])
  t.equal((await penny(['alerts', 'done', '2222', '--root', root])).status, 0)
  t.ok(existsSync(`${root}/spool/alerts/done/tampered.two-2222.md`))
  t.equal((await penny(['alerts', 'done', '2222', '--root', root])).status, 66)
  t.equal((await penny(['alerts', 'done', 'all', '--root', root])).status, 0)
  t.match((await penny(['alerts', '--root', root])).err, /^the daemon is not running: nobody watches.*\nno open alerts\n$/)
})

t.test('alerts that the daemon could not write are shown, those a person just moved to done/ are not', async (t) => {
  const root = organisation(t)
  const row = (code: string, key: string): object => ({
    file: `${code}.${key}.md`,
    code,
    about: key,
    first_seen: '2026-11-21T08:00:00.000Z',
    last_seen: '2026-11-21T08:00:00.000Z',
    count: 1,
    fix: 'df -h',
    sentence: 'Something is wrong.',
  })
  write(`${root}/spool/alerts/done/tampered.moved.md`, '---\ncode: tampered\n---\n')
  await listen(t, root, () => [row('tampered', 'moved'), row('disk-full', 'disk'), { end: true, ok: true }])
  const { status, out, err } = await penny(['alerts', '--root', root])
  t.equal(status, 0)
  t.equal(err, '')
  t.match(out, /^!! disk-full: disk\n +Something is wrong\.\n/)
  t.notMatch(out, /tampered/)
})

t.test('what lies in files is shown also while the daemon does not answer, which is told', async (t) => {
  const root = organisation(t)
  write(`${root}/spool/alerts/overdue.legal.md`, '---\ncode: overdue\nabout: legal\nfix: penny tasks overdue\n---\n# x\n\nLegal is late.\n')
  deliver(root, { id: first, holder: 'legal', folder: 'new', head: { subject: 'Asked long ago' } })
  const SILENT = [{ end: true, ok: false, exit: 75, error: 'the daemon does not answer', why: 'nothing came for 15 s', fix: 'penny doctor' }]
  let hangsUp = false
  await listen(t, root, () => (hangsUp ? 'hang up' : SILENT))
  for (const [how, told] of [
    ['silent', /^the daemon does not answer: .* {3}fix: penny doctor$/m],
    ['gone', /^the daemon went away before it answered: .* {3}fix: penny status$/m],
  ] as const) {
    hangsUp = how === 'gone'
    for (const [command, shown] of [
      ['alerts', ['Legal is late.']],
      ['report', ['Legal is late.', 'Asked long ago']],
      ['tasks', ['Asked long ago']],
      ['agents', ['legal (The legal) jail, network gateway 1 open']],
    ] as const) {
      const { status, out, err } = await penny([command], { cwd: root })
      t.equal(status, 0, `${command}: ${err}`)
      for (const text of shown) t.match(out, text, `${command}, ${how}`)
      t.match(err, told, `${command}, ${how}`)
    }
  }
  hangsUp = false
  t.equal((await penny(['alerts', 'done', 'all'], { cwd: root })).status, 75, 'what only the daemon does is refused')
})

t.test('what is read without a daemon says that nobody watches', async (t) => {
  const root = organisation(t)
  for (const command of ['tasks', 'alerts']) {
    const { status, err } = await penny([command, '--root', root])
    t.equal(status, 0)
    t.match(err, /^the daemon is not running: .* fix: penny up --detach --root |^the daemon is not running: .* fix: penny up --root /, command)
  }
})

t.test('held shows what is held and why', async (t) => {
  const root = organisation(t)
  const name = `unknown-recipient.${idOf('cccc1111')}.report`
  write(`${root}/spool/held/${name}`, 'text')
  write(
    `${root}/spool/held/${name}.why.md`,
    '# Held: unknown-recipient\n\n- file: `spool/report.md`\n- from: operator\n- when: x\n\n- unknown-recipient: spool/report.md:2:1: nobody is called leagl\n\nMend it:\n\n    vi x && penny release y\n',
  )
  t.match(objects((await penny(['held', '--json', '--root', root])).out), [
    {
      code: 'unknown-recipient',
      original: 'spool/report.md',
      from: 'operator',
      fix: 'vi x && penny release y',
      why: ['unknown-recipient: spool/report.md:2:1: nobody is called leagl'],
    },
  ])
})

t.test('agents shows the org chart and what each has, from the files', async (t) => {
  const root = organisation(t)
  write(`${root}/policies/agents/clerk.md`, '---\ntitle: Clerk\nmanager: legal\n---\n')
  told(root)
  const { out, status } = await penny(['agents', '--root', root])
  t.equal(status, 0)
  t.match(out, /^operator\n {2}legal \(The legal\) jail, network gateway\n {4}clerk \(Clerk\) jail, .*\n {2}pmo \(The pmo\) jail, .* 1 note\n$/)
  t.same(
    objects((await penny(['agents', '--json', '--root', root])).out).map(({ name }) => name),
    ['clerk', 'legal', 'pmo'],
  )
})

t.test('doctor says what is wrong and how to mend it', async (t) => {
  const root = organisation(t)
  const { status, out } = await penny(['doctor', '--json', '--root', root])
  t.equal(status, 1)
  const findings = objects(out)
  t.match(
    findings.find(({ check }) => check === 'daemon'),
    { outcome: 'wrong', fix: /^penny up --root \S+ --detach$/ },
  )
  t.match(
    findings.find(({ check }) => check === 'node'),
    { outcome: 'ok' },
  )
  const isUntried = (check: unknown): boolean => check === 'jail' || check === 'hooks'
  for (const { check, outcome, fix } of findings) t.ok(outcome === 'ok' || outcome === 'note' || isUntried(check) || fix !== '', String(check))
  write(`${root}/spool/legal`, 'a file where a box belongs')
  symlinkSync('pmo', `${root}/spool/pmo`)
  const owners = objects((await penny(['doctor', '--json', '--root', root])).out).filter(({ check }) => check === 'owners')
  t.same(
    owners.filter(({ what }) => /spool\/(legal|pmo)/.test(String(what))).map(({ outcome, what }) => [outcome, what]),
    ['legal', 'pmo'].map((name) => ['wrong', `${root}/spool/${name} is no folder`]),
    'what belongs into it comes with it',
  )
  write(`${root}/policies/agents/legal.md`, '---\ntitel: x\n---\n')
  t.match(
    objects((await penny(['doctor', '--json', '--root', root])).out).find(({ check }) => check === 'policies'),
    { outcome: 'wrong', what: /legal\.md:2:1.*title/ },
  )
})

t.test("report counts every held file once, also two of one name, and speaks in the organisation's time zone", async (t) => {
  const root = organisation(t)
  write(`${root}/policies/org.yaml`, 'name: acme\npostmaster: operator\ntimezone: Asia/Tokyo\n')
  const line = { v: 1, at: '2026-11-21T20:30:00.000Z', event: 'daemon', state: 'config', what: 'changed' }
  write(`${root}/.penny/journal/${JOURNAL}`, `${JSON.stringify(line)}\n`)
  const nameOf = (id: string): string => `unknown-recipient.${idOf(id)}.report`
  for (const [id, file] of [
    ['cccc1111', 'spool/report.md'],
    ['cccc2222', 'spool/other.md'],
    ['cccc3333', 'spool/report.md'],
  ] as const) {
    const held = `${root}/spool/held/${nameOf(id)}`
    write(held, 'text')
    write(`${held}.why.md`, `# held\n\n- file: \`${file}\`\n- from: pmo\n\n    penny release ${nameOf(id)}\n`)
  }
  const alert = `code: unknown-recipient\nabout: spool/report.md\ncount: 2\nfix: vi x && penny release ${nameOf('cccc3333')}\n`
  write(`${root}/spool/alerts/unknown-recipient.one.md`, `---\n${alert}---\n# x\n\nNobody is called so.\n`)
  const { out } = await penny(['report', '--since', '2026-11-20T15:00:00Z', '--root', root])
  t.match(out, /^Since 2026-11-21 00:00 Asia\/Tokyo\n/)
  t.match(out, /Stuck and alerts: 3\n.*Nobody is called so.*cccc3333/)
  t.match(out, /held unknown-recipient: spool\/other\.md .*cccc2222/)
  t.match(out, /held unknown-recipient: spool\/report\.md .*cccc1111/, 'the alert of both names the newest alone')
  t.match(out, '  2026-11-22 05:30 config changed')
  for (const zone of ['', 'timezone: Mars/Base\n']) {
    write(`${root}/policies/org.yaml`, `name: acme\npostmaster: operator\n${zone}`)
    t.match((await penny(['report', '--since', '2026-11-20T15:00:00Z', '--root', root])).out, /^Since 2026-11-20 15:00 UTC\n/)
  }
})
