import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { AM_ROOT, ORDINARY, organisation, REACHABLE, run } from './driver.ts'
import { lettersOf, message, until } from './files.ts'

t.test('wrong use ends with 64, no daemon with 69, nothing such with 66; each with a reason and a fix on standard error, never with 2', async (t) => {
  const org = await organisation(t)
  await org.up()
  t.equal((await org.penny(['release', 'no-such-file'])).status, 66)
  await org.end()
  const cases: readonly (readonly [number, ...string[]])[] = [
    [64, 'frobnicate'],
    [64, 'tasks', '--no-such-option'],
    [64, 'show'],
    [64, 'settle', '1234'],
    [64, 'send'],
    [64, 'settle', 'abcd', 'finished'],
    [64, 'set', 'abcd', 'nonsense'],
    [66, 'show', 'ffffffff'],
    [66, 'thread', 'ffffffff'],
    [66, 'log', 'ffffffff'],
    [66, 'pause', 'nosuchagent'],
    [69, 'status'],
    [69, 'down'],
  ]
  for (const [status, ...args] of cases) {
    const ended = await org.penny(args)
    t.equal(ended.status, status, `penny ${args.join(' ')}: ${ended.err}`)
    t.not(ended.status, 2)
    t.equal(status === 69 || ended.out === '', true, `penny ${args.join(' ')}: nothing on standard output`)
    t.match(ended.err, /fix:/, `penny ${args.join(' ')}: gives a fix`)
  }
})

t.test('a root with a configuration that makes no sense ends with 78, and a folder without any is told so', async (t) => {
  const empty = mkdtempSync(join(tmpdir(), 'penny-empty-'))
  t.teardown(() => rmSync(empty, { recursive: true, force: true }))
  const org = await organisation(t, { org: 'nmae: typo\n' })
  const ended = await org.penny(['up', '--root', org.root], { boundMs: 15_000 })
  t.equal(ended.status, 78)
  t.match(ended.err, /org\.yaml:3/)
  const none = await org.penny(['up', '--root', empty], { boundMs: 15_000 })
  t.ok([66, 78].includes(none.status ?? 0), `no organisation: ${none.status}`)
  t.match(none.err, /fix:/)
})

t.test('help gives examples first, for every command, and ends with 0', async (t) => {
  const org = await organisation(t)
  const commands =
    'init up down status send tasks show thread log next claim settle reply set alerts held release agents pause resume events report doctor paths completion'.split(
      ' ',
    )
  for (const argv of [['--help'], ['help'], ['-h'], ...commands.map((command) => [command, '--help'])]) {
    const help = await org.penny(argv)
    t.equal(help.status, 0, `${argv.join(' ')}: ${help.err}`)
    t.match(help.out, /penny /, `${argv.join(' ')}: on standard output`)
    const lines = help.out.split('\n')
    const example = lines.findIndex((line) => /^\s+(\$ )?(.*\| ?)?penny /.test(line))
    const options = lines.findIndex((line) => /^\s+--?[a-z]/.test(line))
    t.ok(example >= 0 && (options < 0 || example < options), `${argv.join(' ')}: an example comes before the options`)
  }
  const overview = (await org.penny(['--help'])).out
  for (const command of commands) t.ok(overview.includes(command), `the overview names ${command}`)
  const version = await org.penny(['--version'])
  t.equal(version.status, 0)
  t.match(version.out, /^(penny(post)? )?\d+\.\d+\.\d+/)
  for (const shell of ['bash', 'zsh', 'fish']) {
    const completion = await org.penny(['completion', shell])
    t.equal(completion.status, 0)
    t.match(completion.out, /penny/)
  }
  t.equal((await org.penny(['completion', 'tcsh'])).status, 64)
})

t.test('the root is found by --root, $PENNY_ROOT and the working directory, in this order', async (t) => {
  const one = await organisation(t, { agents: { first: '' } })
  const two = await organisation(t, { agents: { second: '' } })
  await one.up()
  await two.up()
  one.drop('spool/first/a.md', message({ subject: 'in one' }))
  two.drop('spool/second/b.md', message({ subject: 'in two' }))
  await until('both', () => lettersOf(one.root, 'first')[0] && lettersOf(two.root, 'second')[0])
  const shown = async (args: readonly string[], env: Record<string, string>, cwd: string): Promise<string> =>
    (await one.penny(['tasks', ...args], { env, cwd })).out
  t.match(await shown(['--root', two.root], { PENNY_ROOT: one.root }, one.root), /in two/)
  t.match(await shown([], { PENNY_ROOT: two.root }, one.root), /in two/)
  t.match(await shown([], { PENNY_ROOT: '' }, one.at('workspaces/first')), /in one/)
})

t.test(
  'who may not write to a drop folder or a mailbox is told its own name, and who opens it',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  async (t) => {
    const org = await organisation(t, AM_ROOT ? { as: ORDINARY } : {})
    const id = '01a1f000-0001-7000-8000-0000aaaa1111'
    const task = org.at(`workspaces/legal/new/3-normal.${id}.x.md`)
    for (const folder of ['new', 'cur', 'done', 'outbox', 'sent']) mkdirSync(org.at(`workspaces/legal/${folder}`), { recursive: true })
    writeFileSync(task, message({ id, status: 'open' }))
    mkdirSync(org.at('spool'))
    await run(['chown', '-R', `${statSync(org.root).uid}`, org.root])
    const cwd = org.at('workspaces/legal')
    const cases: readonly (readonly [closed: string, mode: number, how: { cwd?: string }, ...args: string[]])[] = [
      ['spool', 0, {}, 'send', 'legal', '-m', 'x'],
      ['spool', 0, {}, 'send', 'legal', '-m', 'x', '-a', org.at('policies/org.yaml')],
      ['workspaces/legal/outbox', 0, { cwd }, 'send', 'pmo', '-m', 'x'],
      ['workspaces/legal/new', 0o500, { cwd }, 'claim', '1111'],
      ['workspaces/legal/cur', 0, { cwd }, 'claim', '1111'],
      ['workspaces/legal/new', 0o500, { cwd }, 'settle', '1111', 'done'],
    ]
    for (const [closed, mode, how, ...args] of cases) {
      chmodSync(org.at(closed), mode)
      const { status, err } = await org.penny(args, how)
      chmodSync(org.at(closed), 0o755)
      t.equal(status, 77, `${args.join(' ')}: ${err}`)
      t.match(err, `fix: chmod u+rwX ${org.at(closed)}\n`, args.join(' '))
      t.notMatch(err, '/proc/')
    }
    if (!AM_ROOT) return
    const other = await org.penny(['send', 'pmo', '-m', 'x'], { as: { uid: 54_321, gid: 54_321 }, cwd })
    t.equal(other.status, 77, other.err)
    t.match(other.err, `'${org.at('workspaces/legal/outbox')}/.send-`)
    t.match(other.err, `fix: sudo -u '#${ORDINARY.uid}' `, 'the mailbox of somebody else')
  },
)
