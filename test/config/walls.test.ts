import t from 'tap'
import { describeProblem, filesFrom, loadConfig } from '../../src/config/index.ts'
import { organisation } from './organisation.ts'

type Agents = Readonly<Record<string, string>>

function load(agents: Agents): ReturnType<typeof loadConfig> {
  const files = Object.fromEntries(Object.entries(agents).map(([name, lines]) => [`agents/${name}.md`, `---\n${lines}\n---\nYou review.\n`]))
  return loadConfig(filesFrom(organisation(files)), '/srv/acme/policies')
}

function complaints(agents: Agents): string[] {
  const loaded = load(agents)
  return loaded.ok ? [] : loaded.problems.map(describeProblem)
}

const AT = 'policies/agents/legal.md:2:'

t.test('an agent whose file says nothing of walls has a jail, and no network but the gateway', async (t) => {
  const loaded = load({ legal: 'title: x' })
  t.match(loaded, { ok: true })
  const legal = loaded.ok && [...loaded.config.agents.values()].find(({ name }) => name === 'legal')
  t.match(legal, { jailed: true, network: 'gateway', mounts: [] })
})

t.test('a jail is given up by one word alone', async (t) => {
  for (const [word, read] of Object.entries({ 'jail: none': false, 'jail: "none"': false, 'jail: bubblewrap': true })) {
    const loaded = load({ legal: word })
    t.match(loaded.ok && [...loaded.config.agents.values()].find(({ name }) => name === 'legal'), { jailed: read }, word)
  }
  const refused = {
    'jail:': '6: jail: one of bubblewrap, none is needed, this is empty',
    'jail: null': '7: jail: one of bubblewrap, none is needed, this is empty',
    'jail: ~': '7: jail: one of bubblewrap, none is needed, this is empty',
    'jail: ""': '7: jail: one of bubblewrap, none is needed, this is ""',
    'jail: false': '7: jail: one of bubblewrap, none is needed, this is the word false',
    'jail: true': '7: jail: one of bubblewrap, none is needed, this is the word true',
    'jail: 0': '7: jail: one of bubblewrap, none is needed, this is the number 0',
    'jail: off': '7: jail: one of bubblewrap, none is needed, this is "off"',
    'jail: no': '7: jail: one of bubblewrap, none is needed, this is "no"',
    'jail: None': '7: jail: one of bubblewrap, none is needed, this is "None" (did you mean none?)',
    'jail: bublewrap': '7: jail: one of bubblewrap, none is needed, this is "bublewrap" (did you mean bubblewrap?)',
    'jail: [none]': '7: jail: one of bubblewrap, none is needed, this is a list',
    'jail: { kind: none }': '7: jail: one of bubblewrap, none is needed, this is a mapping',
    'jial: none': '1: unknown key "jial" (did you mean jail?)',
    'Jail: none': '1: unknown key "Jail" (did you mean jail?)',
  }
  for (const [words, line] of Object.entries(refused)) t.same(complaints({ legal: words }), [AT + line], words)
})

t.test('the network is widened by one word alone', async (t) => {
  for (const word of ['none', 'gateway', 'full']) {
    const loaded = load({ legal: `network: ${word}` })
    t.match(loaded.ok && [...loaded.config.agents.values()].find(({ name }) => name === 'legal'), { network: word })
  }
  const refused = {
    'network:': '9: network: one of none, gateway, full is needed, this is empty',
    'network: null': '10: network: one of none, gateway, full is needed, this is empty',
    'network: false': '10: network: one of none, gateway, full is needed, this is the word false',
    'network: host': '10: network: one of none, gateway, full is needed, this is "host"',
    'network: Full': '10: network: one of none, gateway, full is needed, this is "Full" (did you mean full?)',
    'network: [full]': '10: network: one of none, gateway, full is needed, this is a list',
    'netwrk: full': '1: unknown key "netwrk" (did you mean network?)',
  }
  for (const [words, line] of Object.entries(refused)) t.same(complaints({ legal: words }), [AT + line], words)
})

t.test('a mount is two absolute paths and a mode, read-only where it says none', async (t) => {
  const loaded = load({ legal: 'mounts: [{ from: /srv/x, at: /x }]' })
  t.match(loaded.ok && [...loaded.config.agents.values()].find(({ name }) => name === 'legal'), { mounts: [{ from: '/srv/x', at: '/x', mode: 'ro' }] })
  const refused = {
    'mounts:': '8: mounts: a list is needed, this is empty',
    'mounts: /srv/x': '9: mounts: a list is needed, this is "/srv/x": write [/srv/x]',
    'mounts: [/srv/x]': '10: mounts: a mapping is needed here (from, at, mode), this is "/srv/x"',
    'mounts: [{ from: /srv/x }]': '10: mounts: at: is missing, and needed',
    'mounts: [{ at: /x }]': '10: mounts: from: is missing, and needed',
    'mounts: [{ from: srv/x, at: /x }]': '18: mounts: from: an absolute path without .. is needed, this is "srv/x"',
    'mounts: [{ from: ~/x, at: /x }]': '18: mounts: from: an absolute path without .. is needed, this is "~/x"',
    'mounts: [{ from: /srv/x, at: x }]': '30: mounts: at: an absolute path without .. is needed, this is "x"',
    'mounts: [{ from: /srv/x, at: /x/../usr }]': '30: mounts: at: an absolute path without .. is needed, this is "/x/../usr"',
    'mounts: [{ from: /srv/x, at: /x, mode: }]': '40: mounts: mode: one of ro, rw is needed, this is empty',
    'mounts: [{ from: /srv/x, at: /x, mode: wr }]': '40: mounts: mode: one of ro, rw is needed, this is "wr" (did you mean rw?)',
    'mounts: [{ from: /srv/x, at: /x, exec: no }]': '34: mounts: unknown key "exec"; known: from, at, mode',
    'mounts: [{ from: "/srv/x\\0", at: /x }]': '18: mounts: from: an absolute path without .. is needed, this is "/srv/x\\u0000"',
    'mounts: [{ from: /srv/x, at: "/x\\0--bind\\0/" }]': '30: mounts: at: an absolute path without .. is needed, this is "/x\\u0000--bind\\u0000/"',
  }
  for (const [words, line] of Object.entries(refused)) t.same(complaints({ legal: words }), [AT + line], words)
})

const mounted = (from: string, at: string, mode = 'ro'): string => `mounts: [{ from: "${from}", at: "${at}", mode: ${mode} }]`

t.test('no mount covers what a jail has of its own, however it is spelt', async (t) => {
  const own = { '/ws': '/ws', '/ws/home/x': '/ws', '/org': '/org', '/org/pmo/new': '/org', '/usr': '/usr', '/usr/local/bin': '/usr', '/etc/passwd': '/etc' }
  const more = { '/bin': '/bin', '/lib64/x': '/lib64', '/proc': '/proc', '/dev/shm': '/dev', '/opt': '/opt/runners', '/opt/runners/x': '/opt/runners' }
  const open = { '/opt/pennypost': '/opt/pennypost', '/run': '/run/gateway.sock', '/run/gateway/x': '/run/gateway', '/tmp': '/tmp', '/sys': '/sys', '/': '/ws' }
  for (const [at, of] of Object.entries({ ...own, ...more, ...open }))
    t.same(complaints({ legal: mounted('/srv/x', at) }), [`${AT}10: mounts: at: ${at} is a jail's own (${of}); choose another, such as /code`], at)
  for (const at of ['//usr', '/./usr/', '/usr//lib', '//./'])
    t.match(complaints({ legal: mounted('/srv/x', at) }), [/mounts: at: \/\S* is a jail's own \(\S+\); choose another/], at)
  for (const at of ['/code', '/opt/tools', '/run/x.sock', '/tmp/x', '/srv/a/b', '/usrx', '/home', '/var/lib/x'])
    t.same(complaints({ legal: mounted('/srv/x', at) }), [], at)
})

t.test('two mounts have two places', async (t) => {
  t.same(complaints({ legal: 'mounts: [{ from: /srv/a, at: /a }, { from: /srv/b, at: /a/. }]' }), [`${AT}36: mounts: at: /a stands here twice`])
  t.same(complaints({ legal: 'mounts: [{ from: /srv/a, at: /a }, { from: /srv/b, at: /a/b }]' }), [])
})

t.test('no mount shows the organisation, a part of it, what is around it, or what leads there', async (t) => {
  for (const from of [
    '/',
    '/srv',
    '/srv/acme',
    '/srv/acme/policies',
    '/srv/acme/policies/org.yaml',
    '/srv/acme/spool/legal',
    '/srv/acme/workspaces/pmo',
    '/srv/acme/.penny/run',
  ])
    t.same(
      complaints({ legal: mounted(from, '/x') }),
      [`${AT}10: mounts: from: ${from} holds the organisation itself, which no jail may show; give a folder elsewhere`],
      from,
    )
  t.match(complaints({ legal: mounted('/srv//acme/./spool/', '/x') }), [/from: \/srv\/acme\/spool holds the organisation itself/])
  for (const from of ['/proc', '/proc/1/root/srv', '/proc/self/cwd'])
    t.same(
      complaints({ legal: mounted(from, '/x') }),
      [`${AT}10: mounts: from: ${from} shows what other processes see, the organisation too; give the folder itself`],
      from,
    )
  for (const from of ['/srv/acme2', '/srv/acme/code', '/srv/ac', '/procx']) t.same(complaints({ legal: mounted(from, '/x') }), [], from)
})

t.test('no mount lies in a folder that an agent may write, who could lead it anywhere', async (t) => {
  const why = (outer: string, who: string): string =>
    `${AT}10: mounts: from: /srv/out/in lies in ${outer}, which ${who} may write (mode: rw); mount that folder, or one elsewhere`
  const inner = mounted('/srv/out/in', '/x')
  t.same(complaints({ legal: inner, cfo: mounted('/srv/out', '/out', 'rw') }), [why('/srv/out', 'cfo')], "another agent's")
  t.same(complaints({ legal: inner, cfo: mounted('/srv/./out/', '/out', 'rw') }), [why('/srv/out', 'cfo')], 'however it is spelt')
  t.same(complaints({ legal: 'mounts: [{ from: /srv/out/in, at: /x }, { from: /srv/out, at: /y, mode: rw }]' }), [why('/srv/out', 'legal')], 'its own')
  t.same(complaints({ legal: inner, cfo: mounted('/srv/out', '/out') }), [], 'one that nobody writes')
  t.same(complaints({ legal: mounted('/srv/out', '/x'), cfo: mounted('/srv/out', '/out', 'rw') }), [], 'the same folder: shared on purpose')
  t.same(complaints({ legal: mounted('/srv/outer', '/x'), cfo: mounted('/srv/out', '/out', 'rw') }), [], 'a name that only begins so')
})
