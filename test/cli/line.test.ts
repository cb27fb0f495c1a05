import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { objects, organisation, penny, write } from './called.ts'

t.test('an unknown command or option is refused with the nearest one, exit 64, and never 2', async (t) => {
  const sned = await penny(['sned'])
  t.equal(sned.status, 64)
  t.match(sned.err, /did you mean send\?\n +fix: penny help send/)
  const option = await penny(['status', '--chekc', '--root', organisation(t)])
  t.equal(option.status, 64)
  t.match(option.err, /did you mean --check/)
  t.equal((await penny(['--nonsense'])).status, 64)
  t.equal((await penny(['show'])).status, 64)
  t.equal((await penny(['tasks', '--root'])).status, 64)
})

t.test('help gives examples first, for the whole and for every command', async (t) => {
  const all = await penny([])
  t.equal(all.status, 0)
  t.ok(all.out.indexOf('Examples') < all.out.indexOf('Commands'))
  const names = [...all.out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].flatMap(([, name]) => name ?? [])
  t.ok(names.includes('send') && names.includes('doctor') && names.length >= 26)
  for (const name of names) {
    const page = await penny([name, '--help'])
    t.equal(page.status, 0, name)
    t.ok(page.out.indexOf('Examples') < page.out.indexOf('Usage'), `${name}: examples come first`)
    t.equal((await penny(['help', name])).out, page.out, `${name}: both ways show the same page`)
  }
})

t.test('--version prints the version of the package', async (t) => {
  t.match((await penny(['--version'])).out, /^pennypost \d+\.\d+\.\d+\n$/)
})

t.test('the root is --root, then PENNY_ROOT, then the nearest folder above', async (t) => {
  const root = organisation(t)
  const other = `${root}/other`
  write(`${other}/policies/org.yaml`, 'name: other\npostmaster: operator\n')
  mkdirSync(`${root}/deep/er`, { recursive: true })
  const found = async (args: string[], cwd: string, env = {}): Promise<string> =>
    (JSON.parse((await penny(['paths', '--json', ...args], { cwd, env })).out) as { root: string }).root
  t.equal(await found([], `${root}/deep/er`), root)
  t.equal(await found([], `${root}/deep/er`, { PENNY_ROOT: other }), other)
  t.equal(await found(['--root', root], other, { PENNY_ROOT: other }), root)
  t.equal((await penny(['--root', root, 'paths'])).status, 0, '--root may stand before the command')
})

t.test('a root that is not there exits 66 with penny init; one of a newer version 78', async (t) => {
  const root = organisation(t)
  const missing = await penny(['tasks', '--root', '/nowhere/no where'])
  t.equal(missing.status, 66)
  t.match(missing.err, /fix: penny init '.*no where'/)
  t.equal((await penny(['up', '--root', `${root}/spool`])).status, 66)
  writeFileSync(`${root}/.penny/format`, '99\n')
  const newer = await penny(['tasks', '--root', root])
  t.equal(newer.status, 78)
  t.match(newer.err, /newer/)
  writeFileSync(`${root}/.penny/format`, 'x\n')
  t.equal((await penny(['tasks', '--root', root])).status, 78)
})

t.test('init makes an organisation in an empty folder only, and says what to do next', async (t) => {
  const root = `${t.testdir()}/acme`
  const made = await penny(['init', root])
  t.equal(made.status, 0)
  t.match(made.err, /penny up --detach/)
  t.equal((await penny(['agents', '--root', root])).status, 0, 'its policies can be used')
  const again = await penny(['init', root])
  t.equal(again.status, 73)
  t.match(again.err, /not empty/)
  t.equal((await penny(['init', `${root}/x`, '--example', 'huge'])).status, 64)
})

t.test('completion prints a script that names every command, for each shell', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, out } = await penny(['completion', shell])
    t.equal(status, 0)
    for (const name of ['send', 'settle', 'doctor']) t.match(out, name)
  }
  t.match((await penny(['completion', 'bahs'])).err, /fix: penny completion bash/)
})

t.test('without a daemon: 69 and the command that starts it, where one is needed', async (t) => {
  const root = organisation(t)
  for (const args of [['status'], ['pause', 'legal'], ['resume', 'all'], ['release', 'x'], ['set', 'abcd', 'due=2026-12-01']]) {
    const { status, err } = await penny([...args, '--root', root])
    t.equal(status, 69, args.join(' '))
    t.match(err, /fix: penny up/)
  }
  const { status, err } = await penny(['down', '--root', root])
  t.equal(status, 69)
  t.match(err, `no daemon runs on ${root}: there is nothing to stop\n`)
  t.match(err, /fix: penny paths --root /, 'who stops one wants none started')
})

t.test('examples can be pasted as they stand; help, completion and --version speak JSON too', async (t) => {
  t.match((await penny(['help', 'send'])).out, /\n {2}echo 'How many\?' \| penny send/)
  t.match((await penny(['help'])).out, /\n {2}penny init acme && cd acme && penny up --detach\n/)
  for (const args of [['help'], ['help', 'send'], ['completion', 'bash'], ['--version']]) {
    const told = objects((await penny([...args, '--json'])).out)
    t.ok(told.length > 0, `${args.join(' ')} tells something`)
    for (const one of told) t.match(one['schema'], /^penny\/(help|completion|version)\/1$/, args.join(' '))
  }
})

t.test('bash completes words with a colon and an equals sign', async (t) => {
  const script = (await penny(['completion', 'bash'])).out
  const complete = (line: string): string[] => {
    const words = line.split(/ |(?=[:=])|(?<=[:=])/)
    const ask = `${script}\nCOMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length} COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(' ')}) COMP_CWORD=${words.length - 1}\n_penny 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`
    return spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' }).stdout.trim().split('\n')
  }
  t.same(complete('penny tasks status:op'), ['open'])
  t.same(complete('penny set 9c41 status=o'), ['open'])
  t.same(complete('penny tas'), ['tasks'])
})

t.test('a root may be known by .penny/ alone; where there is none, it is /var/lib/pennypost', async (t) => {
  const root = organisation(t)
  mkdirSync(`${root}/spool/bare/.penny`, { recursive: true })
  t.match((await penny(['paths'], { cwd: `${root}/spool/bare` })).out, `${root}/spool/bare`)
  const none = await penny(['paths'], { cwd: '/' })
  t.match(`${none.out}${none.err}`, '/var/lib/pennypost')
})

t.test('a disk that answers with an error ends with 74, a mistake of ours with 70', async (t) => {
  const root = organisation(t)
  const failing = async (cause: Error): Promise<number> => {
    const out = (): never => {
      throw cause
    }
    return (await penny(['paths', '--root', root], { out })).status
  }
  t.equal(await failing(Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' })), 74)
  t.equal(await failing(new TypeError('x is not a function')), 70)
})

t.test('at a terminal the body comes from the editor; one that fails sends nothing', async (t) => {
  const root = organisation(t)
  const send = async (editor: string): Promise<number> =>
    (await penny(['send', 'legal', '-s', 'Typed', '--root', root], { terminal: true, env: { VISUAL: editor } })).status
  t.equal(await send('printf "typed by hand" >'), 0)
  const files = readdirSync(`${root}/spool`).filter((name) => name.endsWith('.md'))
  t.equal(files.length, 1)
  t.match(readFileSync(`${root}/spool/${files[0]}`, 'utf8'), /---\ntyped by hand$/)
  t.equal(await send('false'), 1)
  t.equal(await send(''), 64)
  t.equal(readdirSync(`${root}/spool`).filter((name) => name.endsWith('.md')).length, 1)
})

t.test('an example of help is a whole line: its first word is penny, or what stands before a pipe', async (t) => {
  t.match((await penny(['help', 'report'])).out, "\n  penny report --since 1d | penny send postmaster -s 'Yesterday' --kind note\n")
  t.match((await penny(['help', 'send'])).out, "\n  echo 'How many?' | penny send cfo --wait\n")
})
