import t from 'tap'
import { complaints } from './organisation.ts'

/** What is changed in a sound organisation → the lines that must be shown, whole. */
type Case = readonly [title: string, changes: Readonly<Record<string, string | undefined>>, lines: readonly string[]]

const agent = (front: string): Record<string, string> => ({ 'agents/legal.md': `---\n${front}\n---\nYou review.\n` })
const org = (more: string): Record<string, string> => ({ 'org.yaml': `name: acme\npostmaster: operator\n${more}\n` })
const SOUND_PROVIDER = 'api: anthropic-messages\nbase_url: https://api.anthropic.com\nkey_file: /etc/pennypost/keys/anthropic\n'
const provider = (more: string, base = SOUND_PROVIDER, others: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'providers/main.yaml': base + more,
  ...others,
})
const ALL_AGENTS = 'known: ceo, cfo, legal, operator'

const CASES: readonly Case[] = [
  // org.yaml
  ['no org.yaml', { 'org.yaml': undefined }, ['policies/org.yaml: this file is missing, and needed: name: and postmaster: at least']],
  ['an empty org.yaml', { 'org.yaml': '# nothing\n' }, ['policies/org.yaml:1:1: this file is empty']],
  ['a list for org.yaml', { 'org.yaml': '[a]' }, [/a mapping is needed here .*, this is a list$/.source]],
  [
    'neither name nor postmaster',
    { 'org.yaml': 'timezone: UTC\n' },
    ['policies/org.yaml:1:1: name: is missing, and needed', 'policies/org.yaml:1:1: postmaster: is missing, and needed'],
  ],
  ['a misspelt key', org('wkae: { concurrency: 8 }'), ['policies/org.yaml:3:1: unknown key "wkae" (did you mean wake?)']],
  ['a misspelt key inside', org('wake: { concurrency: 8, staggr: 2s }'), ['policies/org.yaml:3:25: wake: unknown key "staggr" (did you mean stagger?)']],
  [
    'a number for text',
    { 'org.yaml': 'name: 12\npostmaster: operator\n' },
    ['policies/org.yaml:1:7: name: text is needed, this is the number 12: put it into quotes'],
  ],
  [
    'a duration without unit',
    org('retention: 30'),
    ['policies/org.yaml:3:12: retention: a duration such as 30s, 5m, 2h or 3d is needed, this is the number 30'],
  ],
  [
    'a size in MB',
    org('limits: { attachment: 64MB }'),
    ['policies/org.yaml:3:23: limits: attachment: a size such as 256KiB or 64MiB is needed, this is "64MB"'],
  ],
  ['a size out of all bounds', org('limits: { message: 1GiB }'), ['policies/org.yaml:3:20: limits: message: this size is too large: "1GiB"']],
  [
    'front matter above the message',
    org('limits: { message: 4KiB, front_matter: 8KiB }'),
    ['policies/org.yaml:3:9: limits: front_matter must not be above message: it is a part of it'],
  ],
  [
    'a time zone that is none',
    org('timezone: Europe/Berln'),
    ['policies/org.yaml:3:11: timezone: unknown time zone "Europe/Berln"; one such as UTC or Europe/Berlin is needed (did you mean Europe/Berlin?)'],
  ],
  [
    'an offset for a time zone',
    org('timezone: "+02:00"'),
    ['policies/org.yaml:3:11: timezone: unknown time zone "+02:00"; one such as UTC or Europe/Berlin is needed'],
  ],
  [
    'a concurrency of none',
    org('wake: { concurrency: 0 }'),
    ['policies/org.yaml:3:22: wake: concurrency: a whole number from 1 to 1000 is needed, this is the number 0'],
  ],
  ['uids the wrong way round', org('uids: { from: 5000, to: 4000 }'), ['policies/org.yaml:3:7: uids: from (5000) must not be above to (4000)']],
  [
    'uids of the system',
    org('uids: { from: 1, to: 4000 }'),
    ['policies/org.yaml:3:15: uids: from: a whole number from 1000 to 2147483646 is needed, this is the number 1'],
  ],
  ['uids with nobody in them', org('uids: { from: 65000, to: 66000 }'), ['policies/org.yaml:3:7: uids: the range holds 65534, which no agent can have']],
  [
    'fewer uids than agents',
    org('uids: { from: 5000, to: 5001 }'),
    ['policies/org.yaml:3:7: uids: 3 agents without numbers need 2 numbers each, and the range 5000-5001 has 2 left'],
  ],
  [
    'no uid left for the gateway',
    { ...org('uids: { from: 5000, to: 5005 }'), ...provider('') },
    ['policies/org.yaml:3:7: uids: 3 agents without numbers need 2 numbers each, the model gateway needs one, and the range 5000-5005 has 6 left'],
  ],
  ['a notify that is a string', org('notify: mail me'), ['policies/org.yaml:3:9: notify: a list is needed, this is "mail me": write [[mail, me]]']],
  ['a yes that is no boolean', org('accept_unknown_uids: yes'), ['policies/org.yaml:3:22: accept_unknown_uids: true or false is needed, this is "yes"']],
  ['a gateway of another shape', org('gateway: { lisen: 127.0.0.1:1 }'), ['policies/org.yaml:3:12: gateway: unknown key "lisen" (did you mean listen?)']],
  [
    'a postmaster who is not there',
    { 'org.yaml': 'name: acme\npostmaster: operatr\n' },
    ['policies/org.yaml:2:13: postmaster: unknown person "operatr" (did you mean operator?)'],
  ],
  [
    'a postmaster who is an agent',
    { 'org.yaml': 'name: acme\npostmaster: ceo\n' },
    ['policies/org.yaml:2:13: postmaster: ceo is an agent; the postmaster is a person'],
  ],
  // strict YAML
  ['a key twice', org('timezone: UTC\ntimezone: UTC'), ['policies/org.yaml:4:1: the key timezone stands here twice']],
  [
    'an anchor and an alias',
    org('notify: &a []\ncheckpoints_to: *a'),
    [
      'policies/org.yaml:3:12: anchors (&a) are not used here; text that begins with & stands in quotes',
      'policies/org.yaml:4:17: aliases (*a) are not used here: write the value out, or in quotes if it is text',
    ],
  ],
  ['a tag of YAML', org('operators: !!str x'), ['policies/org.yaml:3:18: tags (tag:yaml.org,2002:str) are not used here']],
  ['a tag of nobody', org('operators: !run x'), ['policies/org.yaml:3:12: tags (!run) are not used here; text that begins with ! stands in quotes']],
  ['a second document', org('---\nname: other'), ['policies/org.yaml:3:1: a second YAML document (---) begins here; a file holds one']],
  ['a directive', { 'org.yaml': '%YAML 1.1\n---\nname: acme\npostmaster: operator\n' }, ['policies/org.yaml:1:1: YAML directives (%…) are not used here']],
  ['a control character', org('operators: "a\u0007"'), ['policies/org.yaml:3:14: a control character (U+0007) has no place here']],
  ['a merge', org('<<: { timezone: UTC }'), ['^policies/org.yaml:3:1: unknown key "<<"; known: name, postmaster']],
  ['nesting without end', org(`notify: ${'['.repeat(60_000)}`), ['policies/org.yaml:3:41: nested deeper than 32']],
  ['deep nesting that is closed', org(`notify: ${'['.repeat(60)}${']'.repeat(60)}`), ['policies/org.yaml:3:41: nested deeper than 32']],
  ['a tab as indentation', org('wake:\n\tconcurrency: 3'), ['policies/org.yaml:4:1: lines are indented with spaces, not tabs: write two spaces for each tab']],
  // priorities.yaml
  [
    'a misspelt key that is needed is one mistake, not two',
    { 'priorities.yaml': 'normal: { claim_within: 1h, finish_wihtin: 2h }\n' },
    ['policies/priorities.yaml:1:29: normal: unknown key "finish_wihtin" (did you mean finish_within?)'],
  ],
  [
    'a priority without a deadline',
    { 'priorities.yaml': 'normal: { claim_within: 1h }\n' },
    ['policies/priorities.yaml:1:9: normal: finish_within: is missing, and needed'],
  ],
  [
    'a priority nobody can spell',
    { 'priorities.yaml': 'Normal: { claim_within: 1h, finish_within: 1d }\n' },
    [
      /^policies\/priorities.yaml:1:1: "Normal" cannot name a priority: 1 to 16 of a-z 0-9 _ -, a letter first$/.source,
      'policies/priorities.yaml:1:1: at least one priority is needed',
    ],
  ],
  [
    'ten priorities',
    { 'priorities.yaml': 'abcdefghij'.replace(/./g, '$&: { claim_within: 1h, finish_within: 1d }\n') },
    ['policies/priorities.yaml:10:1: at most 9 priorities'],
  ],
  ['no priority at all', { 'priorities.yaml': 'aliases: {}\n' }, ['policies/priorities.yaml:1:1: at least one priority is needed']],
  [
    'an alias for a priority that is none',
    { 'priorities.yaml': 'normal: { claim_within: 1h, finish_within: 1d }\naliases: { P2: norml }\n' },
    ['policies/priorities.yaml:2:16: unknown priority "norml" (did you mean normal?)'],
  ],
  [
    'an alias that is a priority',
    { 'priorities.yaml': 'normal: { claim_within: 1h, finish_within: 1d }\naliases: { normal: normal }\n' },
    ['policies/priorities.yaml:2:12: aliases: normal is a priority itself'],
  ],
  [
    'a misspelt aliases',
    { 'priorities.yaml': 'normal: { claim_within: 1h, finish_within: 1d }\nalias: { P1: normal }\n' },
    ['policies/priorities.yaml:2:1: unknown key "alias" (did you mean aliases?)'],
  ],
  ['empty priorities', { 'priorities.yaml': '' }, ['policies/priorities.yaml:1:1: this file is empty']],
  // agents
  ['an unknown key in an agent', agent('titel: x'), ['policies/agents/legal.md:2:1: unknown key "titel" (did you mean title?)']],
  ['another name inside', agent('name: lgal'), ['policies/agents/legal.md:2:7: name: must be legal, as the file is called (did you mean legal?)']],
  ['a manager who is not there', agent('manager: cef'), ['policies/agents/legal.md:2:10: manager: unknown agent or person "cef" (did you mean ceo?)']],
  ['a manager who is a group', agent('manager: finance'), ['policies/agents/legal.md:2:10: manager: finance is a group; an agent or a person is needed']],
  ['its own manager', agent('manager: legal'), ['policies/agents/legal.md:2:10: manager: legal cannot be its own manager']],
  [
    'may_write_to nobody known',
    agent('may_write_to: [ceo, cfoo, "@finanse", "@cfo"]'),
    [
      'policies/agents/legal.md:2:21: may_write_to: unknown name "cfoo" (did you mean cfo?)',
      'policies/agents/legal.md:2:27: may_write_to: unknown group "@finanse" (did you mean @finance?)',
      'policies/agents/legal.md:2:39: may_write_to: cfo is no group: @ stands before groups only (did you mean cfo?)',
    ],
  ],
  ['may_write_to as a word', agent('may_write_to: ceo'), ['policies/agents/legal.md:2:15: may_write_to: a list is needed, this is "ceo": write [ceo]']],
  [
    'reads of a person, of itself, of nobody',
    agent('reads: [operator, legal, zzzzzz]'),
    [
      "policies/agents/legal.md:2:9: reads: operator is a person; only agents' mail can be read",
      'policies/agents/legal.md:2:19: reads: legal reads its own mail anyway',
      'policies/agents/legal.md:2:26: reads: unknown agent "zzzzzz"; known: ceo, cfo, legal',
    ],
  ],
  [
    'a runner without command',
    agent('runner: { notes: true }'),
    [
      'policies/agents/legal.md:2:9: runner: command: is missing, and needed, or builtin: claude, or anthropic; leave runner: out where nobody is to be started',
    ],
  ],
  [
    'a command as a word',
    agent('runner: { command: ./handle.sh }'),
    ['policies/agents/legal.md:2:20: runner: command: a list is needed, this is "./handle.sh": write [./handle.sh]'],
  ],
  [
    'a command as a line',
    agent(`runner: { command: wc -l "a b", max_attempts: 1 }`),
    ['policies/agents/legal.md:2:20: runner: command: a list is needed, this is "wc -l \\"a b\\"": write [wc, -l, "a b"]'],
  ],
  [
    'a program that is not there',
    agent('runner: { command: [./handel.sh] }'),
    ['policies/agents/legal.md:2:21: runner: command: unknown program "./handel.sh" (did you mean ./handle.sh?)'],
  ],
  [
    'a program outside runners/',
    agent('runner: { command: [./../x] }'),
    ['policies/agents/legal.md:2:21: runner: command: "./../x" is no program: write ./name for one in policies/runners/, an absolute path, or a bare name'],
  ],
  ['an empty command', agent('runner: { command: [] }'), ['policies/agents/legal.md:2:20: runner: command: at least one is needed']],
  [
    'an unknown key of the runner',
    agent('runner: { command: [./handle.sh], max_atempts: 2 }'),
    ['policies/agents/legal.md:2:35: runner: unknown key "max_atempts" (did you mean max_attempts?)'],
  ],
  [
    'a built-in runner that there is not',
    agent('runner: { builtin: openai }'),
    ['policies/agents/legal.md:2:20: runner: builtin: one of claude, anthropic is needed, this is "openai"'],
  ],
  [
    'options of a built-in runner without it',
    agent('runner: { command: [./handle.sh], model: claude-opus-5-5 }'),
    ['policies/agents/legal.md:2:9: runner: model: is for a built-in runner alone; a command: has its own options'],
  ],
  [
    'an option of the other built-in runner',
    agent('runner: { builtin: claude, max_tokens: 100 }'),
    ['policies/agents/legal.md:2:9: runner: max_tokens: is for builtin: anthropic; Claude Code chooses it itself'],
  ],
  ['an agent that is root', agent('user: root'), ['policies/agents/legal.md:2:7: user: an agent cannot be root']],
  [
    'an account of two',
    { 'agents/legal.md': '---\nuser: alice\n---\nx', 'people/operator.md': '---\nuser: alice\n---\n' },
    ['policies/agents/legal.md:2:7: user: alice is operator already: the owner of a file must tell who sent it'],
  ],
  [
    'a mount that climbs',
    agent('mounts: [{ from: /srv/../etc, at: /x, mode: rx }]'),
    [
      'policies/agents/legal.md:2:18: mounts: from: an absolute path without .. is needed, this is "/srv/../etc"',
      'policies/agents/legal.md:2:45: mounts: mode: one of ro, rw is needed, this is "rx" (did you mean ro?)',
    ],
  ],
  [
    'front matter that runs code elsewhere',
    { 'agents/legal.md': '---js\n{}\n---\nx' },
    ['policies/agents/legal.md:1:4: a line that begins with --- must be exactly ---'],
  ],
  [
    'a line in it that is nearly its end',
    { 'agents/legal.md': '---\ntitle: a\n--- \nx\n---\ny' },
    ['policies/agents/legal.md:3:4: a line that begins with --- must be exactly ---'],
  ],
  [
    'front matter that does not end',
    { 'agents/legal.md': '---\ntitle: x\n' },
    ['policies/agents/legal.md:1:1: the front matter is not closed: a second line --- is missing'],
  ],
  ['an empty agent', { 'agents/legal.md': '\n' }, ['policies/agents/legal.md:1:1: this file is empty: an agent needs a role']],
  // names
  [
    'a name with capitals',
    { 'agents/Head Of_Sales.md': 'x' },
    ['policies/agents/Head Of_Sales.md: "Head Of_Sales" cannot be a name: 1 to 31 of a-z 0-9 -, a letter first, no - at the end (did you mean head-of-sales?)'],
  ],
  ['a reserved name', { 'agents/outbox.md': 'x' }, ['policies/agents/outbox.md: outbox is reserved and cannot be a name']],
  ['a group all', { 'groups/all.yaml': 'members: [ceo]\n' }, ['policies/groups/all.yaml: all is reserved and cannot be a name']],
  [
    'a name taken twice',
    { 'groups/ceo.yaml': 'members: [cfo]\n' },
    ['policies/groups/ceo.yaml: the name ceo is taken by agents/ceo.md: agents, people and groups share one name space'],
  ],
  // people, groups
  [
    'an unknown key of a person',
    { 'people/operator.md': '---\nusr: root\n---\n' },
    ['policies/people/operator.md:2:1: unknown key "usr" (did you mean user?)'],
  ],
  [
    'a user that is no account',
    { 'people/operator.md': '---\nuser: "a b"\n---\n' },
    ['policies/people/operator.md:2:7: user: a login name or a uid is needed, this is "a b"'],
  ],
  ['a group of nobody', { 'groups/finance.yaml': 'members: []\n' }, ['policies/groups/finance.yaml:1:10: members: at least one is needed']],
  [
    'a member who is not there',
    { 'groups/finance.yaml': 'members: [cfo, zebra]\n' },
    [`policies/groups/finance.yaml:1:16: members: unknown agent or person "zebra"; ${ALL_AGENTS}`],
  ],
  ['a member twice', { 'groups/finance.yaml': 'members: [cfo, cfo]\n' }, ['policies/groups/finance.yaml:1:16: members: cfo stands here twice']],
  [
    'a group in a group',
    { 'groups/money.yaml': 'members: [finance]\n' },
    ['policies/groups/money.yaml:1:11: members: finance is a group; an agent or a person is needed'],
  ],
  [
    'a way of delivery that is none',
    { 'groups/finance.yaml': 'members: [cfo]\ndeliver: on\n' },
    ['policies/groups/finance.yaml:2:10: deliver: one of all, one is needed, this is "on" (did you mean one?)'],
  ],
  // schedules
  [
    'a schedule without recipient or time',
    { 'schedules/report.md': '---\nsubject: x\n---\nb' },
    ['policies/schedules/report.md:2:1: cron: is missing, and needed', 'policies/schedules/report.md:2:1: to: is missing, and needed: nobody would get it'],
  ],
  [
    'a cron of six fields',
    { 'schedules/report.md': '---\ncron: "0 0 9 * * MON"\nto: ceo\n---\nb' },
    ['policies/schedules/report.md:2:7: cron: five fields are needed (minute hour day month weekday), these are 6'],
  ],
  [
    'a nickname',
    { 'schedules/report.md': '---\ncron: "@daily"\nto: ceo\n---\nb' },
    ['policies/schedules/report.md:2:7: cron: five fields are needed (did you mean 0 0 * * *?)'],
  ],
  [
    'keys and words of a message misspelt',
    { 'schedules/report.md': '---\ncron: 0 9 * * MON\nto: [ceo, cfoo]\nprioirty: high\npriority: hihg\nid: x\n---\nb' },
    [
      'policies/schedules/report.md:3:11: to: unknown name "cfoo" (did you mean cfo?)',
      'policies/schedules/report.md:4:1: unknown key "prioirty" (did you mean priority?)',
      'policies/schedules/report.md:5:11: unknown priority "hihg" (did you mean high?)',
      'policies/schedules/report.md:6:1: id is written by the daemon',
    ],
  ],
  [
    'a schedule in braces',
    { 'schedules/report.md': '---\n{ cron: "0 9 * * *", to: ceo }\n---\nb' },
    ['policies/schedules/report.md:2:1: the front matter must be a mapping with one key a line'],
  ],
  // places
  [
    'no agents',
    { 'agents/ceo.md': undefined, 'agents/cfo.md': undefined, 'agents/legal.md': undefined, 'groups/finance.yaml': undefined },
    ['policies/agents/: no agent is here; at least one is needed, and a folder without any is never taken for "no agents"'],
  ],
  // providers/
  ['a provider of nothing', { 'providers/main.yaml': '# soon\n' }, ['policies/providers/main.yaml:1:1: this file is empty']],
  [
    'a provider without what it needs',
    { 'providers/main.yaml': 'api: anthropic-messages\n' },
    ['policies/providers/main.yaml:1:1: base_url: is missing, and needed', 'policies/providers/main.yaml:1:1: key_file: is missing, and needed'],
  ],
  [
    'another api, and a key in the address',
    provider('', 'api: openai\nbase_url: https://me:secret@api.example.com\nkey_file: keys/main\n'),
    [
      'policies/providers/main.yaml:1:6: api: one of anthropic-messages is needed, this is "openai"',
      'policies/providers/main.yaml:2:11: base_url: an address such as https://api.anthropic.com is needed, without account, ? or #',
      'policies/providers/main.yaml:3:11: key_file: an absolute path without .. is needed, this is "keys/main"',
    ],
  ],
  [
    'a key in the clear over the network',
    provider('', 'api: anthropic-messages\nbase_url: http://api.anthropic.com\nkey_file: /k\n'),
    ['policies/providers/main.yaml:2:11: base_url: http:// would show the key to the network: write https://, or the address of a machine in your own network'],
  ],
  [
    'a stand-in that is not there, and one for itself',
    provider('fallback: [main, secnd]\n', undefined, { 'providers/second.yaml': SOUND_PROVIDER }),
    [
      'policies/providers/main.yaml:4:12: fallback: main cannot stand in for itself',
      'policies/providers/main.yaml:4:18: fallback: unknown provider "secnd" (did you mean second?)',
    ],
  ],
  [
    'a share for nobody, and out of bounds',
    provider('share: { urgent_cap: 2, weights: { lega: 1, ceo: 0 } }\n'),
    [
      'policies/providers/main.yaml:4:22: share: urgent_cap: a number from 0.01 to 1 is needed, this is the number 2',
      'policies/providers/main.yaml:4:42: share: weights: unknown agent "lega" (did you mean legal?)',
      'policies/providers/main.yaml:4:50: share: weights: ceo: a number from 0.01 to 100 is needed, this is the number 0',
    ],
  ],
  [
    'a limit of none',
    provider('pools: [{ models: ["claude-*"], rpm: 0 }]\n'),
    ['policies/providers/main.yaml:4:38: pools: rpm: a whole number from 1 to 1000000000000 is needed, this is the number 0'],
  ],
  [
    'another ending among the providers',
    { 'providers/main.yml': SOUND_PROVIDER },
    ['policies/providers/main.yml: files in providers/ end in .yaml: nothing reads this one (did you mean providers/main.yaml?)'],
  ],
  [
    'a gateway that everybody could reach',
    org('gateway: { listen: "0.0.0.0:8787" }'),
    ['policies/org.yaml:3:20: gateway: listen: a loopback address and a port are needed, such as 127.0.0.1:8787, this is "0.0.0.0:8787"'],
  ],
  ['a budget of nothing', agent('budget: {}'), ['policies/agents/legal.md:2:9: budget: usd_per_day: or tokens_per_day: is needed']],
  [
    'a misspelt file',
    { 'prioritys.yaml': 'x' },
    ['policies/prioritys.yaml: no file of this name is read here; the files are org.yaml and priorities.yaml (did you mean priorities.yaml?)'],
  ],
  [
    'a misspelt folder',
    { 'agent/x.md': 'x' },
    [
      'policies/agent/x.md: no folder agent/ is read; the folders are agents, people, groups, schedules, providers, runners, authority, bridges, guarded (did you mean agents?)',
    ],
  ],
  [
    'another ending',
    { 'groups/staff.yml': 'members: [ceo]\n' },
    ['policies/groups/staff.yml: files in groups/ end in .yaml: nothing reads this one (did you mean groups/staff.yaml?)'],
  ],
  [
    'a folder in agents/',
    { 'agents/sales/anna.md': 'x' },
    ['policies/agents/sales/anna.md: agents/ has no folders in it: nothing reads this file (did you mean agents/anna.md?)'],
  ],
]

for (const [title, changes, lines] of CASES) {
  t.test(`refused with its place: ${title}`, async (t) => {
    const shown = complaints(changes)
    t.equal(shown.length, lines.length, `${lines.length} lines: ${JSON.stringify(shown)}`)
    for (const [i, line] of lines.entries()) {
      if (/^\^|\$$/.test(line)) t.match(shown[i], new RegExp(line))
      else t.equal(shown[i], line)
    }
  })
}

t.test('all problems are told at once, in the order of files and lines', async (t) => {
  const shown = complaints({
    'org.yaml': 'zzz: x\npostmaster: operator\ntimezone: Nowhere\n',
    'agents/ceo.md': '---\nx: 1\n---\nr',
    'groups/finance.yaml': 'members: [nobody-here]\n',
  })
  t.match(
    shown.map((line) => line.split(': ')[0]),
    ['policies/agents/ceo.md:2:1', 'policies/groups/finance.yaml:1:11', 'policies/org.yaml:1:1', 'policies/org.yaml:1:1', 'policies/org.yaml:3:11'],
  )
})

t.test('a broken agent is one problem: whoever speaks of it is not blamed as well', async (t) => {
  const shown = complaints({ 'agents/ceo.md': '---\ntitle: [\n---\nr' })
  t.ok(shown.length > 0)
  t.ok(
    shown.every((line) => line.startsWith('policies/agents/ceo.md:')),
    JSON.stringify(shown),
  )
})

t.test('a circle in the org chart is told once, with everybody in it', async (t) => {
  t.same(complaints({ 'agents/ceo.md': '---\nmanager: legal\n---\nr', 'agents/legal.md': '---\nmanager: cfo\n---\nr' }), [
    'policies/agents/ceo.md:2:10: manager: the org chart goes in a circle: ceo → legal → cfo → ceo',
  ])
  t.same(complaints({ 'people/operator.md': '---\nmanager: ceo\n---\n' }), [
    'policies/people/operator.md:2:10: manager: the org chart goes in a circle: operator → ceo → operator',
  ])
})
