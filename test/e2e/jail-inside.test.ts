import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, organisation, PENNY, REACHABLE, run, type Shape } from './driver.ts'
import { alertOf, exists, type Letter, lettersOf, message, processesFor, until } from './files.ts'

const WAITING = '#!/bin/sh\necho x >> started\nsleep 600\n'
const shape: Shape = {
  org: 'wake: { concurrency: 16, stagger: 0s }\n',
  agents: {
    boss: 'runner: { command: [./inside.sh, x, ./second.sh], max_attempts: 1 }\n',
    report: 'manager: boss\n',
    other: '',
    environ: 'runner: { command: [/usr/bin/env], max_attempts: 1 }\n',
    bare: 'runner: { command: [penny, tasks], max_attempts: 1 }\n',
    outside: 'runner: { command: [PROGRAM], max_attempts: 1 }\n',
    loose: 'jail: none\nnetwork: none\nmounts: [{ from: /usr/share, at: /code }]\n',
    open: 'jail: none\nnetwork: full\n',
    wide: 'network: full\n',
    // Their files are narrowed while they run.
    reader: 'reads: [other]\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    online: 'network: full\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    free: 'jail: none\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    mounted: 'mounts: [{ from: /usr/share, at: /code, mode: rw }]\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    unmounted: 'mounts: [{ from: /usr/share, at: /code }]\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    lead: 'runner: { command: [./wait.sh], max_attempts: 1 }\n',
    led: 'manager: lead\n',
    moved: 'user: "54321"\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    growing: 'network: none\nrunner: { command: [./wait.sh], max_attempts: 1 }\n',
    steady: 'runner: { command: [./wait.sh], max_attempts: 1 }\n',
  },
  policies: {
    'runners/inside.sh': readFileSync(join(PENNY, '../../../test/jail/inside.sh'), 'utf8'),
    'runners/second.sh': '#!/usr/bin/env python3\nprint("of second.sh")\n',
    'runners/node.mjs': '#!/usr/bin/env node\nconsole.log("node=works")\n',
    'runners/wait.sh': WAITING,
  },
}
const letter = (org: Organisation, agent: string): Letter | undefined => lettersOf(org.root, agent).find((one) => one.head.get('status') !== undefined)
const logOf = (org: Organisation, agent: string): string => readFileSync(org.at('workspaces', agent, 'runs', `${letter(org, agent)?.id}.log`), 'utf8')
const settled = (org: Organisation, agent: string): Promise<Letter> =>
  until(`${agent} has settled`, () => {
    const one = letter(org, agent)
    return ['done', 'failed'].includes(one?.head.get('status') ?? '') && one
  })

async function looksAround(t: Test, org: Organisation): Promise<void> {
  org.drop('workspaces/report/outbox/of.txt', 'of the attachment\n', org.owner('report'))
  org.drop('workspaces/report/outbox/task.md', message({ to: 'boss', subject: 'look', attach: '[of.txt]' }), org.owner('report'))
  t.equal((await settled(org, 'boss')).head.get('status'), 'done')
  await until('its run is over, which settled the task itself', () => /^--- exit 0/m.test(logOf(org, 'boss')))
  const ownScore = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  const lines = logOf(org, 'boss').split('\n').slice(1, -2)
  const uid = org.owner('boss')?.uid ?? (AM_ROOT ? ORDINARY.uid : process.getuid?.())
  const mode = (await org.penny(['status'])).out.includes('user mode') ? 'user' : 'system'
  t.same(lines, [
    'message=readable',
    'message=cur',
    'of the attachment',
    `oom=${Math.max(500, ownScore)}`,
    `who=boss uid=${mode === 'user' && AM_ROOT ? ORDINARY.uid : uid} host=boss home=/ws/home cwd=/ws/home root=none`,
    ...['/ws', '/ws/new', '/ws/cur', '/ws/done', '/ws/outbox', '/ws/home', '/tmp', '/dev/shm'].slice(mode === 'user' ? 0 : 1).map((at) => `writable=${at}`),
    ...['/ws/sent', '/ws/attachments', '/ws/runs', '/org/report/new', '/org/report/cur', '/org/report/done'].map((at) => `readable=${at}`),
    'org=report  of=cur done new ',
    'guides=readable',
    'renames=work',
    'second=/opt/runners/second.sh',
    'of second.sh',
    'second=started',
    'python=works',
    'node=works',
    'tasks=ok',
    'show=ok',
    'send=ok',
    'next=1',
    'settle=ok',
  ])
  const [got] = await until('what it sent', () => lettersOf(org.root, 'report').filter((one) => one.head.get('subject') === 'from-inside'))
  t.match(got?.head.get('from'), 'boss')
}

async function programsAre(t: Test, org: Organisation): Promise<void> {
  for (const agent of ['environ', 'bare', 'outside']) org.drop(`spool/${agent}/task.md`, message({ subject: 'one' }))
  t.equal((await settled(org, 'environ')).head.get('status'), 'done', 'an absolute path in /usr')
  for (const line of logOf(org, 'environ').split('\n').slice(1, -2))
    t.match(line, /^(PENNY_[A-Z_]+|HOME|PATH|LANG|TZ|PWD)=/, 'the environment is an allow-list')
  t.equal((await settled(org, 'bare')).head.get('status'), 'done', 'penny, as a bare name')
  t.equal((await settled(org, 'outside')).head.get('status'), 'failed')
  t.match(letter(org, 'outside')?.head.get('result'), /is not in its jail: put it into policies\/runners\/, or its folder into mounts:/)
}

async function isTold(t: Test, org: Organisation): Promise<void> {
  const rows = await org.json(['agents'])
  const row = (name: string): Record<string, unknown> | undefined => rows.find((one) => one['name'] === name)
  t.match(row('boss'), { jail: 'bubblewrap', network: 'gateway', walled: true })
  t.type(row('boss')?.['uid'], 'number')
  t.match(row('wide'), { jail: 'bubblewrap', network: 'full' })
  t.match(row('loose'), { jail: 'none', network: 'full' })
  const alone = org.owner('boss')?.uid === org.owner('loose')?.uid
  t.equal(row('boss')?.['uid'], org.owner('boss')?.uid ?? process.getuid?.(), 'the uid is the one that owns its folders')
  t.match(await org.json(['status']), [
    { mode: alone ? 'user' : 'system', not_walled: alone ? ['free', 'loose'] : [], no_jail: ['free', 'loose'], full_network: ['online', 'wide'] },
  ])
  const agents = (await org.penny(['agents'])).out
  t.match(agents, /^\s*boss .* uid \d+, jail, network gateway/m)
  t.match(agents, /^\s*wide .* jail, network full/m)
  t.match(agents, /^\s*loose .* (not walled|no jail)/m)
  const { out } = await org.penny(['status'])
  t.match(out, /^(not walled|no jail) .*\bloose\b/m)
  t.match(out, /^(not walled|no jail) .*network: and mounts: count for nothing/m)
  t.match(out, /^network .*\bwide\b/m)
  const doctor = (await org.penny(['doctor'])).out
  t.match(doctor, /loose acts outside a jail: its file says jail: none/)
  t.match(
    doctor,
    /network: none and mounts: in the file of loose count for nothing beside jail: none[^\n]*\n *fix: [^\n]*agents\/loose\.md {3}# take jail: out, or those\n/,
  )
  t.match(doctor, /open acts outside a jail/)
  t.notMatch(doctor, /file of open|file of free/, 'what is so anyway, or what nobody wrote, is no contradiction')
  t.match(doctor, /wide reaches whatever this machine reaches/)
  t.match(doctor, /\d+ real jails? started, with bubblewrap/)
}

/** The agent whose run it concerns: what becomes of its own file, or of another's. */
const CHANGES: Readonly<Record<string, Readonly<{ file?: string; line: string }>>> = {
  reader: { line: 'reads: []' },
  online: { line: 'network: gateway' },
  free: { line: 'jail: bubblewrap' },
  mounted: { line: 'mounts: [{ from: /usr/share, at: /code }]' },
  unmounted: { line: 'mounts: []' },
  lead: { file: 'led', line: 'manager: steady' },
  moved: { line: 'user: "54322"' },
  growing: { line: 'network: gateway' },
}
/** Who may do as much as before, or more. */
const UNCONCERNED = ['growing', 'steady']

async function narrows(t: Test, org: Organisation): Promise<void> {
  const all = [...Object.keys(CHANGES), 'steady']
  const started = (agent: string): number => {
    const path = org.at('workspaces', agent, 'home/started')
    return exists(path) ? readFileSync(path, 'utf8').length / 2 : 0
  }
  for (const agent of all) org.drop(`spool/${agent}/task.md`, message({ subject: 'one' }))
  await until('all run', () => all.every((agent) => started(agent) === 1 && letter(org, agent)?.folder === 'cur'))
  const before = new Map(all.map((agent) => [agent, processesFor(letter(org, agent)?.id ?? '')]))
  for (const [agent, { file = agent, line }] of Object.entries(CHANGES))
    writeFileSync(org.at('policies/agents', `${file}.md`), `---\ntitle: x\n${line}\nrunner: { command: [./wait.sh], max_attempts: 1 }\n---\nx\n`)
  const narrowed = all.filter((agent) => !UNCONCERNED.includes(agent))
  await until('their runs begin anew', () => narrowed.every((agent) => started(agent) === 2))
  for (const agent of all) {
    const now = processesFor(letter(org, agent)?.id ?? '')
    t.equal(
      before.get(agent)?.some((pid) => now.includes(pid)),
      !narrowed.includes(agent),
      `${agent}: ${narrowed.includes(agent) ? 'nothing of the run before is left' : 'its run goes on'}`,
    )
    t.equal(letter(org, agent)?.head.get('status'), 'in_progress', `${agent}: no attempt, with max_attempts: 1`)
  }
  t.same([started('growing'), started('steady')], [1, 1])
}

async function entered(t: Test, org: Organisation): Promise<void> {
  const enter = org.penny
  t.equal((await enter(['jail', 'boss', '--', 'sh', '-c', 'exit 23'])).status, 23, "the command's own status")
  t.match(await enter(['jail', 'boss', '--', 'sh', '-c', 'whoami; pwd; ls /org; cat'], { input: 'typed' }), { status: 0, out: 'boss\n/ws/home\nreport\ntyped' })
  const env = (await enter(['jail', 'boss', '--', 'env'], { env: { SECRET: 'canary', LANG: 'C.UTF-8', TERM: 'xterm', COLORTERM: 'truecolor' } })).out
  const names = env.split('\n').flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? [])
  t.same(names.filter((name) => name !== 'PWD').sort(), ['COLORTERM', 'HOME', 'LANG', 'NO_COLOR', 'PATH', 'PENNY_AGENT', 'TERM'], 'as docs/running.md says')
  t.match(env, /^TERM=xterm$/m)
  t.notMatch(env, /canary|PENNY_ROOT/)
  const script = `exec 9< '${org.at('policies/org.yaml')}'; '${process.execPath}' '${PENNY}' jail boss --root '${org.root}' -- /bin/sh -c 'ls /proc/self/fd | tr "\\n" " "; cat <&9'`
  const leaked = await run(['/bin/sh', '-c', script], { as: AM_ROOT && org.owner('boss')?.uid === ORDINARY.uid ? ORDINARY : undefined, cwd: org.root })
  t.match(leaked.out, /^0 1 2 3 $/, `what the caller had open stays out: ${leaked.out}${leaked.err}`)
  t.match(await enter(['jail', 'bos']), { status: 66, err: /did you mean boss\?[\s\S]*fix: penny jail boss/ })
  t.match(await enter(['jail', 'all']), { status: 66, err: /fix: penny / })
  t.match(await enter(['jail', 'loose']), { status: 77, err: /its file says jail: none[\s\S]*fix: .*agents\/loose\.md/ })
  const python = `import os,pty,sys
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
os.write(fd, b'tty; echo in $((40+2)); jobs; exit 7\\n')
out = b''
try:
    while True: out += os.read(fd, 4096)
except OSError: pass
sys.stdout.write(out.decode()); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))`
  const shell = await run(['python3', '-c', python, process.execPath, PENNY, 'jail', 'boss', '--root', org.root], {
    as: AM_ROOT && org.owner('boss')?.uid === ORDINARY.uid ? ORDINARY : undefined,
    cwd: org.root,
    env: { NO_COLOR: '1' },
  })
  t.match(shell, { status: 7, out: /the jail of boss: uid \d+, network gateway[\s\S]*in 42/ }, 'a shell on a terminal')
  t.notMatch(shell.out, /no job control/)
}

async function inside(t: Test, how: Shape): Promise<void> {
  const org = await organisation(t, { ...shape, ...how })
  const file = org.at('policies/agents/outside.md')
  // A program of this machine that no jail shows.
  writeFileSync(file, readFileSync(file, 'utf8').replace('PROGRAM', join(PENNY, '../../../scripts/setup')))
  await org.up()
  await Promise.all([looksAround(t, org), programsAre(t, org)])
  await isTold(t, org)
  await narrows(t, org)
  await org.end()
  await entered(t, org)
  t.equal(alertOf(org.root, 'jail-unavailable'), undefined)
}

t.test(
  'system mode: in a jail is what page 5 says, and what concerns it is told',
  { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read' },
  (t) => inside(t, {}),
)

t.test(
  'user mode: in a jail is what page 5 says, and what concerns it is told',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  (t) => inside(t, AM_ROOT ? { as: ORDINARY } : {}),
)
