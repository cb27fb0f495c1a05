import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import t from 'tap'
import { exampleFiles, filesFrom, loadConfig } from '../../src/config/index.ts'
import { managerOf } from '../../src/core/config.ts'
import { complaints, configOf, organisation } from './organisation.ts'

t.test('org.yaml, one person and one agent are enough; the rest has the defaults of the contract', async (t) => {
  const loaded = loadConfig(
    filesFrom({ 'org.yaml': 'name: acme\npostmaster: operator\n', 'people/operator.md': '', 'agents/solo.md': '---\n---\n' }),
    '/policies',
  )
  t.ok(loaded.ok)
  if (!loaded.ok) return
  t.match(loaded.config.org, {
    name: 'acme',
    postmaster: 'operator',
    operators: '',
    timezone: 'UTC',
    uids: { from: 410_000, to: 419_999 },
    wake: { concurrency: 8, staggerMs: 2_000 },
    limits: { messageBytes: 262_144, frontMatterBytes: 16_384, attachmentBytes: 67_108_864, attachments: 8, backlog: 10_000 },
    retentionMs: 2_592_000_000,
    notify: [],
    acceptUnknownUids: false,
  })
  t.same(
    loaded.config.priorities.rules.map((rule) => [rule.rank, rule.name, rule.claimWithinMs, rule.finishWithinMs]),
    [
      [1, 'urgent', 300_000, 3_600_000],
      [2, 'high', 1_800_000, 28_800_000],
      [3, 'normal', 14_400_000, 259_200_000],
      [4, 'low', 172_800_000, 1_209_600_000],
    ],
  )
  t.equal(loaded.config.priorities.fallback.name, 'normal')
  t.match(loaded.config.agents.get('solo' as never), {
    manager: 'operator',
    mayWriteTo: undefined,
    reads: [],
    runner: undefined,
    user: undefined,
    jailed: true,
    network: 'gateway',
    mounts: [],
    protected: false,
  })
})

t.test('with a provider starts are as far apart as the gateway has room for, unless org.yaml says how far', async (t) => {
  const provider = { 'providers/main.yaml': 'api: anthropic-messages\nbase_url: https://api.anthropic.com\nkey_file: /etc/keys/main\n' }
  const wakeOf = (wake: string): unknown => configOf({ 'org.yaml': `name: acme\npostmaster: operator\n${wake}`, ...provider }).org.wake
  t.same(wakeOf(''), { concurrency: 8, staggerMs: 0 })
  t.same(wakeOf('wake: { concurrency: 2 }\n'), { concurrency: 2, staggerMs: 0 })
  t.same(wakeOf('wake: { stagger: 2s }\n'), { concurrency: 8, staggerMs: 2_000 })
})

t.test('everything that can be said is read as it was meant', async (t) => {
  const config = configOf({
    'org.yaml':
      'name: acme\npostmaster: operator\noperators: staff\ntimezone: Europe/Berlin\nuids: { from: 7000, to: 7099 }\nwake: { concurrency: 2, stagger: 0s }\nlimits: { message: 1MiB, front_matter: 32KiB, attachment: 1GiB, attachments: 3, backlog: 7 }\nretention: 90d\nnotify: [[mail, -s, "a b", me]]\naccept_unknown_uids: true\ngateway: { listen: 127.0.0.1:9000 }\ncheckpoints_to: [operator]\nx-cost-centre: 12\n',
    'agents/legal.md':
      '---\nname: legal\ntitle: General Counsel\nmanager: postmaster\nmay_write_to: [ceo, operator, finance, "@finance", all, postmaster]\nreads: [cfo]\nrunner: { command: [./handle.sh, "--long words"], notes: true, concurrency: 2, timeout: 90s, max_attempts: 5 }\nuser: 1234\nmounts: [{ from: /srv/code, at: /code }, { from: /srv/x, at: /x, mode: rw }]\nprotected: true\nnetwork: full\njail: none\ncontext_window: 200000\nhold: 100s\nbudget: { usd_per_day: 5.5, tokens_per_day: 1000 }\nspeaks_for: [law]\nbridge: overstory\nx-colour: red\n---\nYou review.\n',
    'people/anna.md': '---\nuser: 4000\nmanager: operator\nnotify: [[ring, anna]]\n---\n',
    'providers/main.yaml':
      'name: main\napi: anthropic-messages\nbase_url: https://api.anthropic.com/v2/\nkey_file: /etc/keys/main\npools:\n  - { models: ["claude-opus-4-*"], rpm: 1000, itpm: 2000000, otpm: 400000 }\n  - { models: ["*"] }\nfallback: [near]\nmodels: { claude-opus-4-8: opus }\nshare: { urgent_cap: 0.3, weights: { ceo: 2 } }\nx-own: 1\n',
    'providers/near.yaml': 'api: anthropic-messages\nbase_url: http://192.168.1.7:8080\nkey_file: /etc/keys/near\n',
    'groups/oncall.yaml': 'name: oncall\nmembers: [ceo, anna, cfo]\ndeliver: one\n',
  })
  t.match(config.org, {
    operators: 'staff',
    timezone: 'Europe/Berlin',
    uids: { from: 7000, to: 7099 },
    wake: { concurrency: 2, staggerMs: 0 },
    retentionMs: 7_776_000_000,
    notify: [['mail', '-s', 'a b', 'me']],
    acceptUnknownUids: true,
  })
  t.match(config.org.limits, { messageBytes: 1_048_576, frontMatterBytes: 32_768, attachmentBytes: 1_073_741_824, attachments: 3, backlog: 7 })
  t.same(config.agents.get('legal' as never), {
    name: 'legal',
    title: 'General Counsel',
    manager: 'operator',
    mayWriteTo: ['ceo', 'operator', 'finance', '@finance', 'all', 'postmaster'],
    reads: ['cfo'],
    runner: { command: ['./handle.sh', '--long words'], notes: true, concurrency: 2, timeoutMs: 90_000, maxAttempts: 5 },
    user: '1234',
    jailed: false,
    network: 'full',
    mounts: [
      { from: '/srv/code', at: '/code', mode: 'ro' },
      { from: '/srv/x', at: '/x', mode: 'rw' },
    ],
    protected: true,
    contextWindow: 200_000,
    holdMs: 100_000,
    budget: { usdPerDay: 5.5, tokensPerDay: 1_000 },
    role: 'You review.\n',
  })
  t.same(config.org.gateway, { host: '127.0.0.1', port: 9_000 })
  t.same(config.providers.get('main'), {
    name: 'main',
    baseUrl: 'https://api.anthropic.com/v2',
    keyFile: '/etc/keys/main',
    pools: [
      { models: ['claude-opus-4-*'], rpm: 1_000, itpm: 2_000_000, otpm: 400_000 },
      { models: ['*'], rpm: undefined, itpm: undefined, otpm: undefined },
    ],
    fallback: ['near'],
    models: new Map([['claude-opus-4-8', 'opus']]),
    urgentCap: 0.3,
    weights: new Map([['ceo', 2]]),
  })
  t.match(config.providers.get('near'), { baseUrl: 'http://192.168.1.7:8080', pools: [], fallback: [], urgentCap: 0.5 })
  t.same(config.people.get('anna' as never), { name: 'anna', user: '4000', manager: 'operator', notify: [['ring', 'anna']] })
  t.same(config.groups.get('oncall' as never), { name: 'oncall', members: ['ceo', 'anna', 'cfo'], deliver: 'one' })
  t.equal(managerOf(config, 'anna' as never), 'operator')
})

t.test('a BOM, CRLF and tabs between words change nothing', async (t) => {
  const config = configOf({
    'org.yaml': '\ufeffname:\tacme\r\npostmaster: operator\t# who\r\n',
    'agents/legal.md': '\ufeff---\r\ntitle: General Counsel\r\n---\r\n\tYou review.\r\n',
    'groups/finance.yaml': '\ufeffmembers:\r\n  - cfo\r\n',
  })
  t.equal(config.org.name, 'acme')
  t.equal(config.agents.get('legal' as never)?.title, 'General Counsel')
  t.equal(config.agents.get('legal' as never)?.role, '\tYou review.\r\n')
})

t.test('a place in a file with a BOM is where an editor shows it', async (t) => {
  t.same(
    complaints({ 'org.yaml': '\ufeffname: acme\npostmaster: operator\nfoo: 1\n' }).map((line) => line.slice(0, 25)),
    ['policies/org.yaml:3:1: un'],
  )
})

t.test('the message of a schedule is its file without the lines that say when', async (t) => {
  const config = configOf({
    'schedules/report.md':
      '---\n# the report\ncron: "0 9 * * MON"   # Mondays\nto: [ceo,\n  cfo]\ntimezone: Europe/Berlin\nsubject: "Report: week"\npriority: low\nx-a: 1\n---\nBody\r\n\n---\nend',
  })
  t.same(config.schedules.get('report'), {
    name: 'report',
    cron: '0 9 * * MON',
    timezone: 'Europe/Berlin',
    text: '---\n# the report\nto: [ceo,\n  cfo]\nsubject: "Report: week"\npriority: low\nx-a: 1\n---\nBody\r\n\n---\nend',
  })
})

t.test('without a priority of the usual name, the middle one is the default, of two the later', async (t) => {
  const scheme = (...names: string[]) =>
    configOf({ 'priorities.yaml': names.map((name) => `${name}: { claim_within: 1h, finish_within: 1d }\n`).join('') }).priorities.fallback.name
  t.equal(scheme('a'), 'a')
  t.equal(scheme('a', 'b'), 'b')
  t.equal(scheme('a', 'b', 'c'), 'b')
  t.equal(scheme('a', 'b', 'c', 'd'), 'c')
  t.equal(scheme('a', 'b', 'normal'), 'normal')
})

t.test('aliases lead to the scheme, also for schedules', async (t) => {
  const config = configOf({
    'priorities.yaml': 'now: { claim_within: 1s, finish_within: 1h }\nlater: { claim_within: 1h, finish_within: 1d }\naliases: { P1: now }\n',
    'schedules/report.md': '---\ncron: "* * * * *"\nto: ceo\npriority: P1\n---\n',
  })
  t.equal(config.priorities.aliases.get('P1'), 'now')
})

t.test('folders of later pages and papers are passed over, but counted in the digest', async (t) => {
  const more = {
    'authority/FREEZE': '',
    'bridges/x.yaml': '{',
    'guarded/x.yaml': '',
    'README.md': 'Hello',
    'agents/README.md': 'Who is who',
    'runners/lib/deep.sh': '',
  }
  t.not(configOf(more).digest, configOf().digest)
  t.equal(configOf(more).agents.size, 3)
})

t.test('the small example is sound: a person, three agents, one of them with a runner that is there', async (t) => {
  const files = exampleFiles({ kind: 'small' })
  t.ok([...files.keys()].every((path) => path.startsWith('policies/')))
  t.equal(files.get('policies/runners/check.sh')?.mode, 0o755)
  t.equal(files.get('policies/org.yaml')?.mode, 0o644)
  const withNotify = (files.get('policies/org.yaml')?.text ?? '').replace(/^# (?=notify:)/m, '')
  t.same(configOf({ 'org.yaml': withNotify }).org.notify, [['mail', '-s', 'penny needs you', 'me']], 'what it shows in a comment can be uncommented')
  const loaded = loadConfig(filesFrom(Object.fromEntries([...files].map(([path, file]) => [path.slice('policies/'.length), file.text]))), '/policies')
  t.ok(loaded.ok)
  if (!loaded.ok) return
  t.same([...loaded.config.people.keys()], ['operator'])
  t.same(
    [...loaded.config.agents.values()].map((agent) => [agent.name, agent.runner?.command]),
    [
      ['checker', ['./check.sh']],
      ['lead', undefined],
      ['writer', undefined],
    ],
  )
})

t.test('the runner of the small example checks what it is given', async (t) => {
  const program = `${t.testdir({})}/check.sh`
  writeFileSync(program, exampleFiles({ kind: 'small' }).get('policies/runners/check.sh')?.text ?? '', { mode: 0o755 })
  const check = (message: string) => spawnSync(program, { input: message, encoding: 'utf8' }).stdout
  t.equal(
    check('---\nsubject: x?\n---\n- [x] one\n- [ ] two words\nWhy?\n'),
    'Checked: 9 words, 1 boxes ticked, 1 open, 1 questions.\n- still open: two words\n- unanswered: Why?\n',
  )
  t.equal(check('All done.\r\n'), 'Checked: 2 words, 0 boxes ticked, 0 open, 0 questions.\nNothing is left open.\n')
})

t.test('an organisation of three thousand agents is read', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`agents/a${i}.md`, `---\nmanager: ${i === 0 ? 'ceo' : `a${i - 1}`}\n---\nx\n`]))
  const loaded = loadConfig(filesFrom({ ...organisation(), ...many }), '/policies')
  t.equal(loaded.ok && loaded.config.agents.size, 3003)
})
