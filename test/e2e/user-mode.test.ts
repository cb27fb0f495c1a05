import { statSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, accounting, isTrue, ORDINARY, organisation, REACHABLE } from './driver.ts'
import { alertsOf, lettersOf, message, sentBy, until } from './files.ts'

t.test(
  "an ordinary user runs the whole: files in the spool are the postmaster's, the owner of an outbox is its agent",
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    const org = await organisation(t, {
      ...(AM_ROOT ? { as: ORDINARY } : {}),
      org: 'wake: { concurrency: 8, stagger: 0s }\n',
      agents: { legal: 'runner: { command: [./handle.sh] }\n', pmo: '' },
      policies: { 'runners/handle.sh': '#!/bin/sh\necho handled\n' },
    })
    await org.up()
    t.match((await org.penny(['status'])).out, /user mode/, 'status says so')
    org.drop('spool/one.md', message({ to: 'legal', subject: 'from the spool' }))
    org.drop('workspaces/pmo/outbox/two.md', message({ to: 'legal', subject: 'from an outbox' }))
    const reply = await until('the reply to the postmaster', () => lettersOf(org.root, 'operator')[0])
    t.equal(reply.body.toString(), 'handled\n')
    await until('the reply to the agent', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('from') === 'legal'))
    await until('the mirror', () => sentBy(org.root, 'pmo').find((one) => one.head.get('status') === 'done'))
    t.equal(statSync(reply.path).uid, AM_ROOT ? ORDINARY.uid : process.getuid?.())
    t.same(
      alertsOf(org.root).map((alert) => `${alert.file} ${alert.body.toString()}`),
      [],
    )
    const line = await accounting(org)
    t.ok(isTrue(line), JSON.stringify(line))
  },
)
