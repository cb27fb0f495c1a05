import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { plainDisk } from '../../src/cli/disk.ts'
import type { Name } from '../../src/core/names.ts'
import { type Jail, readyJail } from '../../src/jail/index.ts'
import type { Host } from '../../src/system/host.ts'

const HOST: Host = { bwrap: { path: '/usr/bin/bwrap', version: [0, 8] }, links: [], folders: [], program: [], processor: 'x64', filters: true }

t.test('a mount is judged by where it leads when it is made: never to the organisation, never through what another agent may write', async (t) => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'penny-mounts-')))
  t.teardown(() => rmSync(base, { recursive: true }))
  const at = (path: string): string => join(base, path)
  for (const folder of ['org/policies', 'org/docs', 'org/workspaces/eve', 'code/lib', 'shared/inner']) mkdirSync(at(folder), { recursive: true })
  const links = {
    'to-org': 'org',
    'to-base': '.',
    'to-policies': 'org/policies',
    'to-eve': 'org/workspaces/eve',
    'to-code': 'code',
    'to-inner': 'shared/inner',
  }
  for (const [name, to] of Object.entries(links)) symlinkSync(at(to), at(name))
  symlinkSync(at('to-policies'), at('twice'))
  const jail: Jail = {
    agent: 'legal' as Name,
    uid: 1,
    gid: 1,
    workspace: at('org/workspaces/legal'),
    readOnly: [],
    readable: [],
    runners: '/r',
    mounts: [],
    organisation: at('org'),
    writable: [at('shared')],
    network: 'none',
    gateway: undefined,
    sameUid: true,
  }
  const look = (from: string): string => {
    const ready = readyJail(plainDisk(), HOST, { ...jail, mounts: [{ from: at(from), at: '/code', mode: 'rw' }] })
    if (ready.fault === undefined) return `shows ${ready.jail.mounts.map((mount) => mount.from).join()}`.replaceAll(base, '')
    t.equal(ready.fault.kind, 'mounts', `${from}: the agent's file mends it`)
    return ready.fault.why.replaceAll(base, '')
  }
  t.match(look('to-org'), /^mounts: from: \/to-org leads to \/org, which holds the organisation itself$/)
  for (const from of ['to-base', 'to-policies', 'to-eve', 'twice', 'org/policies']) t.match(look(from), /holds the organisation itself$/, from)
  t.equal(look('to-inner'), 'mounts: from: /to-inner leads to /shared/inner, which lies in /shared, which another agent may write')
  t.equal(look('nowhere'), 'mounts: from: /nowhere is not there')
  const without = readyJail(plainDisk(), { ...HOST, bwrap: undefined }, { ...jail, mounts: [{ from: at('nowhere'), at: '/code', mode: 'ro' }] })
  t.match(without.fault, { kind: 'machine', why: 'bubblewrap (bwrap) is not installed' }, 'without bubblewrap no file of an agent is to blame')
  t.equal(look('to-code'), 'shows /code', 'what is mounted is where the link led when it was judged')
  t.equal(look('code/lib'), 'shows /code/lib')
  t.equal(look('shared'), 'shows /shared', 'the folder itself may be shared')
  t.equal(look('org/docs'), 'shows /org/docs')
})
