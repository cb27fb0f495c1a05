import { unlinkSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE } from './driver.ts'
import { alertOf, lettersOf, message, pause, until } from './files.ts'

const RUNNER = 'jail: none\nrunner: { command: [./handle.sh] }\n'

t.test(
  'in user mode nothing is started for an agent without a jail while a provider is configured: it could read the key',
  { skip: REACHABLE ? false : 'an ordinary user cannot read the built command here' },
  async (t) => {
    const org = await organisation(t, {
      ...(AM_ROOT ? { as: ORDINARY } : {}),
      agents: { legal: RUNNER },
      policies: {
        'runners/handle.sh': '#!/bin/sh\necho done\n',
        'providers/main.yaml': 'api: anthropic-messages\nbase_url: http://127.0.0.1:9\nkey_file: /nowhere/key\n',
      },
      org: 'gateway: { listen: "127.0.0.1:8797" }\n',
    })
    await org.up()
    await until('it is told', () => alertOf(org.root, 'jail-unavailable', 'jail: none'))
    await until('the key is missing', () => alertOf(org.root, 'provider-key', '/nowhere/key'))
    org.drop('spool/legal/task.md', message({ subject: 'one' }))
    await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'new'))
    await pause(1_000)
    t.equal(lettersOf(org.root, 'legal')[0]?.head.get('status'), 'open', 'its mail waits')
    t.match((await org.penny(['agents'])).out, /jail: none is refused/)
    t.match((await org.penny(['doctor'])).out, /WRONG gateway +legal has jail: none/)
    unlinkSync(org.at('policies/providers/main.yaml'))
    await until('it runs', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
    await until('both are closed', () => !alertOf(org.root, 'jail-unavailable') && !alertOf(org.root, 'provider-key'))
  },
)
