/** Looks after the house. Every detector is first shown something bad, so that it cannot pass by being blind. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { COMMANDS } from '../src/cli/table.ts'
import { FAULTS } from '../src/core/fault.ts'
import { badName, faceless, locatesItself, swallowing, tooLong, worldly } from './tidy/code.ts'
import { untypable } from './tidy/commands.ts'
import { unquoted } from './tidy/fixes.ts'
import { deadLinks, missingFiles } from './tidy/links.ts'
import { exists, read, rooms, type Source, written } from './tidy/tree.ts'
import { fetchedFrom, ofAWorkplace, unpinned } from './tidy/words.ts'

const all = written()
const source = all.filter(({ path }) => path.startsWith('src/') && path.endsWith('.ts'))
const tests = all.filter(({ path }) => path.startsWith('test/') && path.endsWith('.ts'))
const prose = all.filter(({ path }) => path.endsWith('.md') && !path.startsWith('policies/') && !path.startsWith('test/'))
const sample = (text: string, path = 'src/wake/sample.ts'): Source => ({ path, text })
const complaints = (files: readonly Source[], detect: (file: Source) => string[]): string[] => files.flatMap(detect)

/** Rooms that are entered from outside, as programs. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = { cli: ['src/cli/penny.ts'], runners: ['src/runners/anthropic.ts', 'src/runners/claude.ts'] }

t.test('the walk sees the project', async (t) => {
  for (const path of ['package.json', 'src/core/fault.ts', 'test/tidy.test.ts', 'scripts/setup', '.ci/run', '.gitignore']) {
    t.ok(
      all.some((file) => file.path === path),
      path,
    )
  }
  t.notOk(
    all.some(({ path }) => path.startsWith('node_modules/') || path.startsWith('dist')),
    'and nothing that was fetched or made',
  )
})

t.test('no file of src is longer than 300 lines', async (t) => {
  t.equal(tooLong(sample('x\n'.repeat(301))).length, 1)
  t.same(tooLong(sample('x\n'.repeat(300))), [])
  t.same(complaints(source, tooLong), [])
})

t.test('no file is called utils, helpers, common or manager', async (t) => {
  for (const path of ['src/wake/utils.ts', 'src/helpers/a.ts', 'test/common.ts', 'src/mailbox/manager.ts']) t.equal(badName(sample('', path)).length, 1, path)
  t.same(badName(sample('', 'src/mailbox/commonplace.ts')), [])
  t.same(complaints(all, badName), [])
})

t.test('every room stands on a floor and has a face', async (t) => {
  const floors = JSON.parse(readFileSync('test/tidy/floors.json', 'utf8')) as Record<string, number>
  t.equal(faceless(sample("export { a } from './a.ts'\n")).length, 1)
  t.equal(faceless(sample('/**\n * Given a.\n * Returns b.\n */\n')).length, 1)
  t.same(faceless(sample('/**\n * Given a,\n * and b.\n * Returns c.\n * Fails\n * never.\n */\n')), [])
  for (const room of rooms()) {
    t.ok(room in floors, `${room} has its floor in test/tidy/floors.json`)
    // core is a vocabulary and is imported by file.
    if (room === 'core') continue
    for (const face of PROGRAMS[room] ?? [`src/${room}/index.ts`]) t.same(exists(face) ? faceless(read(face)) : [`${face} is missing`], [])
  }
})

t.test('nothing is swallowed', async (t) => {
  for (const bad of ['try { a() } catch {}', 'try { a() } catch (e) { /* never mind */ }', 'a().catch(() => {})'])
    t.equal(swallowing(sample(bad)).length, 1, bad)
  for (const good of ['try { a() } catch (e) { log(e) }', 'a().catch(report)', '// catch {}']) t.same(swallowing(sample(good)), [], good)
  t.same(complaints(source, swallowing), [])
})

t.test('what somebody else named goes into a fix: as one word of the shell', async (t) => {
  const code = (text: string): Source => sample(text.replaceAll('@{', '${'))
  for (const bad of [
    'raise({ fix: `ls -l @{about}` })',
    'const fix = one ? `rm @{file}` : `x`',
    "refuse(64, 'what', 'why', `penny show @{typed}`)",
    "wrong('disk', 'what', `df @{layout.root}`)",
    'function fixOf(path: string) { if (a) { return `cat @{path}` } return b }',
    'raise({ fix: `mv @{shellWord(a)} @{folder}/home/` })',
  ])
    t.equal(unquoted(code(bad)).length, 1, bad)
  for (const good of ['raise({ fix: `ls -l @{shellWord(about)}` })', 'raise({ sentence: `@{about} is gone`, fix: `penny log @{mail.id}` })'])
    t.same(unquoted(code(good)), [], good)
  t.same(complaints(source, unquoted), [])
})

t.test('the outside world is touched in system, daemon, cli and runners only', async (t) => {
  const bad = [
    'Date.now()',
    'new Date()',
    'setTimeout(f, 1)',
    'const e = process.env.HOME',
    'await fetch(u)',
    'Math.random()',
    'const t = performance.now()',
    'globalThis.setInterval(f, 1)',
    'run({ at: setTimeout })',
  ]
  for (const text of bad) t.ok(worldly(sample(text)).length > 0, text)
  for (const text of ['new Date(ms)', 'clock.setTimeout(f)', '// Date.now()', "say('setTimeout')", 'const fetch = 1; fetch', 'type A = { process: string }'])
    t.same(worldly(sample(text)), [], text)
  t.same(worldly(sample('Date.now()', 'src/system/clock.ts')), [])
  t.same(complaints(source, worldly), [])
})

t.test('tests find files from the top of the project', async (t) => {
  t.equal(locatesItself(sample("new URL('../', import.meta.url)")).length, 1)
  t.equal(locatesItself(sample('join(import.meta.dirname, "x")')).length, 1)
  t.same(locatesItself(sample("findUp('package.json', import.meta.dirname)")), [])
  t.same(complaints(tests, locatesItself), [])
})

t.test('the project speaks of itself alone', async (t) => {
  const slash = '/'
  const registry = ['registry', 'npmjs', 'org'].join('.')
  for (const bad of [`cd ${slash}work/main`, `"https://${registry}/a"`, `${slash}home/ann/mail`]) t.equal(ofAWorkplace(sample(bad)).length, 1, bad)
  for (const good of ['a/work/b', 'the work/ of', '/var/lib/pennypost', '/home/', 'workspaces/pmo/home/notes/a', '/tmp/penny'])
    t.same(ofAWorkplace(sample(good)), [], good)
  t.same(complaints(all, ofAWorkplace), [])
})

t.test('packages are pinned, and nobody can tell where they were fetched', async (t) => {
  t.equal(unpinned(sample('{"dependencies":{"a":"^1.0.0","b":"1.0.0"},"devDependencies":{"c":"*"}}')).length, 2)
  t.same(unpinned(read('package.json')), [])
  t.equal(
    fetchedFrom(
      sample(
        '{"packages":{"":{},"a":{"resolved":"https://host/a.tgz","integrity":"x"},"b":{},"c":{"optional":true,"os":["darwin"]},"d":{"optional":true,"os":["linux"],"cpu":["x64"]}}}',
      ),
    ).length,
    3,
  )
  t.same(fetchedFrom(read('package-lock.json')), [])
})

t.test('no relative link in the documents is dead', async (t) => {
  const files: Record<string, string> = { 'docs/a.md': '# One thing: *two*\n```\n# no heading\n```\n## Again\n## Again\n', docs: '' }
  const find = (path: string): string | undefined => files[path]
  const links = (text: string): string[] => deadLinks({ path: 'docs/x.md', text }, find)
  for (const bad of ['[a](b.md)', '[a](../README.md)', '[a](a.md#no-heading)', '[a]: ./gone.md', '[a](#nowhere)', '[a](a.md#again-2)'])
    t.equal(links(bad).length, 1, bad)
  for (const good of [
    '[a](a.md)',
    '[a](a.md#one-thing-two)',
    '[a](./a.md#again-1 "t")',
    '[a](https://example.com/b.md)',
    '`[a](b.md)`',
    '[a](../docs/)',
    '# Here\n[a](#here)',
  ])
    t.same(links(good), [], good)
  const here = (path: string): string | undefined => (exists(path) ? (statSync(path).isDirectory() ? '' : readFileSync(path, 'utf8')) : undefined)
  t.ok(prose.length > 0)
  t.same(
    complaints(prose, (file) => deadLinks(file, here)),
    [],
  )
})

t.test('every source file that a document names is there', async (t) => {
  const paths = ['src/wake/run.ts', 'scripts/print.mjs', 'test/wake/order.test.ts']
  const missing = (text: string): string[] => missingFiles({ path: 'docs/x.md', text }, paths)
  for (const bad of ['`wake/walk.ts`', '`deliver/run.ts`', '`walk.ts: go`', '`test/wake/run.ts`']) t.equal(missing(bad).length, 1, bad)
  for (const good of ['`wake/run.ts`', '`run.ts: go`', '`src/wake/run.ts`', '`scripts/print.mjs`', 'walk.ts', '`test/<room>/walk.test.ts`', '`*.ts`'])
    t.same(missing(good), [], good)
  t.same(
    complaints(prose, (file) =>
      missingFiles(
        file,
        all.map(({ path }) => path),
      ),
    ),
    [],
  )
})

t.test('every command that a document tells to type is there, with its options', async (t) => {
  const loaded = await Promise.all(Object.entries(COMMANDS).map(async ([name, load]) => [name, (await load()).command] as const))
  const options = new Map(loaded.map(([name, { options }]) => [name, ['root', 'json', 'help', ...Object.keys(options)]]))
  const wrong = (text: string): string[] => untypable({ path: 'docs/x.md', text }, (name) => options.get(name))
  for (const bad of ['`penny restart`', '```sh\ncd a && penny up --daemon\n```', '`penny status --detach`', '```sh\nID=$(penny first)\n```'])
    t.equal(wrong(bad).length, 1, bad)
  for (const good of ['`penny up --detach`', '```sh\npenny status   # --no\npenny down --drain 10m; ls --all\n```', 'penny for your thoughts', '`penny …`'])
    t.same(wrong(good), [], good)
  t.same(
    complaints(prose, (file) => untypable(file, (name) => options.get(name))),
    [],
  )
})

t.test('docs/operations.md tells what to do about every fault', async (t) => {
  const untold = (text: string): string[] => Object.keys(FAULTS).filter((code) => !text.includes(`\`${code}\``))
  t.ok(untold('a loop').includes('loop'), 'a code counts only as `code`')
  t.notOk(untold('`loop`').includes('loop'))
  if (exists('docs/operations.md')) t.same(untold(readFileSync('docs/operations.md', 'utf8')), [])
})

t.test('the two commands that the README names are there', async (t) => {
  const readme = exists('README.md') ? readFileSync('README.md', 'utf8') : ''
  for (const command of ['scripts/demo', 'scripts/test']) {
    t.ok(readme.includes(command), `README.md names ${command}`)
    t.ok(exists(command) && (statSync(command).mode & 0o111) === 0o111, `${command} can be started`)
  }
  for (const command of readdirSync('scripts').filter((name) => statSync(`scripts/${name}`).isFile() && !name.includes('.'))) {
    t.match(readFileSync(`scripts/${command}`, 'utf8'), /^#!\/(bin\/sh|usr\/bin\/env (bash|node))\n/, `scripts/${command} says what runs it`)
  }
})
