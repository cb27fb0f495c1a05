/** `scripts/lib/tests.mjs`, which counts for `scripts/test`, in a project of three files: what it says is what happened, each time anew. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { AM_ROOT, type Ended, PENNY, run } from './driver.ts'

const PROJECT = dirname(dirname(dirname(PENNY)))

t.test('the runner of all tests fails where one fails, dies or was skipped without need, and believes nothing of the run before', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'penny-runner-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  mkdirSync(join(folder, 'dist-test/test'), { recursive: true })
  for (const file of ['.taprc', 'package.json']) cpSync(join(PROJECT, file), join(folder, file))
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'))
  const write = (name: string, code: string): void => writeFileSync(join(folder, `dist-test/test/${name}.test.js`), `import t from 'tap'\n${code}\n`)
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(?:_?TAP|NODE_OPTIONS|NODE_V8)/.test(key)))
  const runs = (): Promise<Ended> =>
    run(['env', '-i', ...Object.entries(env).map(([key, value]) => `${key}=${value}`), process.execPath, join(PROJECT, 'scripts/lib/tests.mjs')], {
      cwd: folder,
      boundMs: 60_000,
    })
  const counts = (): string => readFileSync(join(folder, '.tap/counts'), 'utf8').trim()

  write('good', "t.pass('one')\nt.pass('two')")
  write('other', "t.equal(1, 2, 'sums')")
  const failing = await runs()
  t.same([failing.status, counts()], [1, '2 1 0'], failing.out)
  t.match(failing.out, /NOT OK test\/other\.test\.ts[\s\S]*not ok 1 - sums/)

  write('other', "t.pass('three')\nprocess.exit(3)")
  const died = await runs()
  t.same([died.status, counts().split(' ')[1]], [1, '1'], `one that dies: ${died.out}`)

  write('other', "t.pass('four', { skip: 'not here' })")
  const skipped = await runs()
  t.same([skipped.status, counts()], AM_ROOT ? [1, '2 1 0'] : [0, '2 0 1'], skipped.out)
  t.match(skipped.out, /skipped: four \(not here\)/)

  rmSync(join(folder, 'dist-test/test/other.test.js'))
  const good = await runs()
  t.same([good.status, counts()], [0, '2 0 0'], `and without it, nothing is left of that: ${good.out}${good.err}`)
  rmSync(join(folder, 'dist-test/test/good.test.js'))
  t.equal((await runs()).status, 1, 'no test at all is no success')
})

t.test('a build that fails leaves the command of the last one, a good one takes its place as a whole', async (t) => {
  const folder = t.testdir({ bin: {}, dist: { '.built': '', cli: { 'penny.js': 'old', 'chunk-OLD.js': 'old' } } })
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { scripts: { build: string } }
  const build = (esbuild: string): Promise<Ended> => {
    writeFileSync(
      join(folder, 'bin/esbuild'),
      `#!/bin/sh\nfor a; do case $a in --outdir=*) mkdir -p "\${a#*=}/cli" && cd "\${a#*=}/cli";; --outfile=*) exit 0;; esac; done\n${esbuild}\n`,
    )
    chmodSync(join(folder, 'bin/esbuild'), 0o755)
    return run(['sh', '-c', scripts.build], { cwd: folder, env: { PATH: `${folder}/bin:${process.env['PATH']}` } })
  }
  const command = (): string => readFileSync(join(folder, 'dist/cli/penny.js'), 'utf8')
  t.equal((await build('echo half > penny.js; exit 1')).status, 1)
  t.equal(command(), 'old')
  const built = await build('echo new > penny.js')
  t.equal(built.status, 0, built.err)
  t.equal(command(), 'new\n')
  t.same(readdirSync(join(folder, 'dist')).sort(), ['.built', 'cli'])
  t.same(readdirSync(join(folder, 'dist/cli')), ['penny.js'], 'nothing of the last one')
  t.same(readdirSync(folder).sort(), ['bin', 'dist'], 'nothing beside it')
})
