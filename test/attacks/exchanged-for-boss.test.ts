import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE } from '../e2e/driver.ts'

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
