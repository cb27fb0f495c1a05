import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, organisation, PENNY, REACHABLE, type Shape } from './driver.ts'
import { exists, lettersOf, message, until } from './files.ts'
import { keepOutside } from './outside.ts'

type Tried = Readonly<{ way: string; open: boolean; what: string }>

/** What `network: full` opens, and says so: the machine's own network, with the sockets that have names there. */
const OF_FULL_NETWORK = ['abstract-socket', 'interfaces', 'loopback', 'loopback-6', 'network']
/** Contract, page 3, and what a shell adds. */
const ENVIRONMENT = ['HOME', 'PATH', 'LANG', 'TZ', 'PWD', 'OLDPWD', 'SHLVL', '_']
const FACTS = [
  'AGENT',
  'RUN',
  'ATTEMPT',
  'ID',
  'MESSAGE',
  'KIND',
  'FROM',
  'VIA',
  'ORIGIN',
  'PRIORITY',
  'DUE',
  'THREAD',
  'IN_REPLY_TO',
  'REPLIES',
  'ATTACHMENTS',
]

const RUNNER = 'runner: { command: [./probe.sh] }\n'
const shape: Shape = {
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: {
    shut: `${RUNNER}network: none\n`,
    gate: RUNNER,
    wide: `${RUNNER}network: full\n`,
    loose: `${RUNNER}jail: none\n`,
    boss: RUNNER,
    report: 'manager: boss\n',
  },
  policies: { 'runners/probe.sh': '#!/bin/sh\nhere=$(dirname "$0")\npython3 "$here/probe.py" "$here/targets.json" > probe.json\n' },
}

async function probeAll(
  t: Test,
  how: Shape,
  keeperIs: (org: Organisation) => { uid: number; gid: number } | undefined,
): Promise<(agent: string) => Promise<Tried[]>> {
  const org = await organisation(t, { ...shape, ...how })
  await org.up()
  await org.end()
  const outside = await keepOutside(t, org, keeperIs(org))
  const targets = {
    ...outside,
    environment: [...ENVIRONMENT, ...FACTS.map((fact) => `PENNY_${fact}`)],
    paths: {
      root: org.root,
      policies: org.at('policies'),
      own: org.at('.penny'),
      socket: org.at('.penny/run/daemon.sock'),
      spool: org.at('spool'),
      other: org.at('workspaces/report/home'),
      shadow: '/etc/shadow',
      ...Object.fromEntries(['root', 'home', 'var', 'srv', 'mnt', 'boot'].map((name) => [`top-${name}`, `/${name}`])),
    },
    closed: [org.at('policies'), org.at('.penny'), org.at('spool'), org.at('workspaces/report/new'), '/org/report/new'],
  }
  const runners = org.at('policies/runners')
  copyFileSync(join(PENNY, '../../../test/jail/probe.py'), join(runners, 'probe.py'))
  writeFileSync(join(runners, 'targets.json'), JSON.stringify(targets))
  await org.up()
  return async (agent) => {
    org.drop(`workspaces/report/outbox/${agent}.md`, message({ to: agent, subject: 'probe' }))
    await until(`the probe of ${agent}`, () => lettersOf(org.root, agent).find((one) => one.head.get('status') === 'done'), 60_000)
    const path = org.at('workspaces', agent, 'home/probe.json')
    const lines = exists(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
    return lines.map((line) => JSON.parse(line) as Tried)
  }
}

const isOpen = (tried: readonly Tried[]): string[] => tried.filter(({ open }) => open).map(({ way, what }) => `${way}: ${what}`)
const waysOpen = (tried: readonly Tried[]): string[] => tried.filter(({ open }) => open).map(({ way }) => way)

async function judge(t: Test, probe: (agent: string) => Promise<Tried[]>, expectedOpenOutside: readonly string[]): Promise<void> {
  const loose = await probe('loose')
  for (const way of expectedOpenOutside) t.ok(waysOpen(loose).includes(way), `without a jail the probe gets through: ${way}`)
  for (const agent of ['gate', 'shut', 'boss']) {
    const tried = await probe(agent)
    t.equal(tried.length, loose.length, `${agent}: every way was tried`)
    t.ok(tried.length > 90, String(tried.length))
    t.same(isOpen(tried), [], `${agent}: every way is closed`)
  }
  const wide = waysOpen(await probe('wide'))
  t.same(
    wide.filter((way) => !OF_FULL_NETWORK.includes(way)),
    [],
    'network: full opens the network alone',
  )
  t.ok(wide.includes('loopback') && wide.includes('abstract-socket'), 'and that it opens')
}

/** What succeeds without a jail in either mode. */
const OPEN_OUTSIDE = ['tmp', 'abstract-socket', 'path-socket', 'loopback', 'shared-memory', 'sysv-memory', 'leases', 'access-list', 'file-flags']

t.test(
  'system mode: from inside a jail nothing outside is reached',
  { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read' },
  async (t) => {
    const probe = await probeAll(t, {}, (org) => org.owner('gate'))
    await judge(t, probe, [...OPEN_OUTSIDE, 'path-policies', 'keyring', 'limits'])
  },
)

t.test(
  'user mode: from inside a jail nothing outside is reached, though the uid is the same',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    const probe = await probeAll(t, AM_ROOT ? { as: ORDINARY } : {}, () => (AM_ROOT ? ORDINARY : undefined))
    const ofSameUid = ['processes', 'signal', 'memory-of-others', 'read-policies', 'read-own', 'read-other']
    await judge(t, probe, [...OPEN_OUTSIDE, ...ofSameUid])
  },
)
