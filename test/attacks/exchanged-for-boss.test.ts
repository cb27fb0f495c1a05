import { spawn } from 'node:child_process'
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE } from '../e2e/driver.ts'
import { alertOf, alertsOf, lettersOf, message, until } from '../e2e/files.ts'

/** Until it is killed: its own new/ is, for a moment, a link to what only the user may read. */
const EXCHANGE = 'while :; do mv new away; ln -s "$1" new; rm new; mv away new; done 2>/dev/null'

tap.test(
  'where all have one uid, an agent that exchanges its new/ for a link shows its boss nothing but its mail',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    const org = await organisation(t, { ...(AM_ROOT ? { as: ORDINARY } : {}), agents: { boss: '', eve: 'manager: boss\n' } })
    const outside = join(org.base, 'secret')
    mkdirSync(outside, { mode: 0o755 })
    writeFileSync(join(outside, 'key'), 'canary')
    await org.up()
    await org.end()
    const eve = spawn('/bin/sh', ['-c', EXCHANGE, 'sh', outside], { ...(AM_ROOT ? ORDINARY : {}), cwd: org.at('workspaces/eve') })
    t.teardown(() => eve.kill('SIGKILL'))
    const looks = []
    for (let i = 0; i < 25; i++) looks.push(await org.penny(['jail', 'boss', '--', 'sh', '-c', 'echo in; cat /org/eve/new/key']))
    t.same(
      looks.filter(({ out, err }) => /canary/.test(out + err)),
      [],
    )
    const entered = looks.filter(({ out }) => out === 'in\n')
    const refused = looks.filter(({ status, err }) => status === 75 && /what \/org shows was moved while the jail was made|cannot be made/.test(err))
    t.same(
      looks.filter((one) => ![...entered, ...refused].includes(one)),
      [],
      'each began, or was told why not',
    )
    t.ok(refused.length > 0, 'the moment was met, and seen')
  },
)

/** Whatever is made right is exchanged again at once. */
const LOOP = 'while :; do [ -L new ] || { mv new "was-$$-$((n += 1))"; ln -s new new; }; sleep 0.002; done 2>/dev/null'

tap.test(
  'where all have one uid, an agent that keeps its new/ exchanged keeps its boss from nothing, and is told of',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    const org = await organisation(t, {
      ...(AM_ROOT ? { as: ORDINARY } : {}),
      org: 'wake: { concurrency: 8, stagger: 0s }\n',
      agents: { boss: 'runner: { command: [./look.sh] }\n', eve: 'manager: boss\n', pal: 'manager: boss\n' },
      policies: { 'runners/look.sh': '#!/bin/sh\necho ran; ls -d /org/pal/new\n' },
    })
    await org.up()
    const eve = spawn('/bin/sh', ['-c', LOOP], { ...(AM_ROOT ? ORDINARY : {}), cwd: org.at('workspaces/eve') })
    t.teardown(() => eve.kill('SIGKILL'))
    await until('exchanged', () => lstatSync(org.at('workspaces/eve/new'), { throwIfNoEntry: false })?.isSymbolicLink())
    for (let i = 0; i < 5; i++) org.drop(`spool/boss/task-${i}.md`, message({ subject: `task ${i}` }))
    const replies = await until('all runs', () => {
      const all = lettersOf(org.root, 'operator').filter(({ head }) => head.get('from') === 'boss')
      return all.length === 5 ? all : undefined
    })
    for (const { body } of replies) t.match(body.toString(), /^ran\n/)
    t.ok(
      replies.some(({ body }) => /^\/org\/pal\/new$/m.test(body.toString())),
      'what nobody exchanged is shown',
    )
    await until('eve is told of', () => alertOf(org.root, 'unreadable-file', 'workspaces/eve/new'))
    t.notOk(
      alertsOf(org.root).some(({ file }) => file.startsWith('jail-unavailable')),
      'no jail is taken for broken',
    )
  },
)
