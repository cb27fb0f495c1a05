import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainDisk } from '../../src/cli/disk.ts'
import type { Name } from '../../src/core/names.ts'
import { enclose, type Jail, type Look, lookWith, readStatus } from '../../src/jail/index.ts'
import { hostOf } from '../../src/system/host.ts'
import { realSpawner } from '../../src/system/spawner.ts'

const host = hostOf(process.env['PATH'] ?? '')
const skip = host().bwrap ? false : 'needs bubblewrap'
const LOOK = lookWith(plainDisk())

function makeJail(t: Test): Jail {
  const root = mkdtempSync(join(tmpdir(), 'penny-guard-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const make = (path: string): string => {
    mkdirSync(join(root, path), { recursive: true })
    return join(root, path)
  }
  make('boss/home')
  writeFileSync(join(make('secret'), 'key'), 'canary')
  // The shell's order and that of bytes differ for these.
  const readable = ['a', 'a-b', 'ab'].map((name) => ({ name: name as Name, folders: ['new', 'cur', 'done'].map((one) => make(`${name}/${one}`)) }))
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  return {
    ...self,
    agent: 'boss' as Name,
    workspace: join(root, 'boss'),
    readOnly: [],
    readable,
    runners: make('runners'),
    mounts: [],
    network: 'none',
    gateway: undefined,
    organisation: '/nowhere',
    writable: [],
    sameUid: true,
  }
}

/** Lists everything that is shown of others, recursively. */
async function listed(jail: Jail, look: Look, env: Readonly<Record<string, string>> = {}): Promise<{ out: string; exitCode: number | undefined }> {
  const line = enclose(jail, host(), look, { argv: ['/usr/bin/find', '/org'], env })
  const [out, status]: [string[], string[]] = [[], []]
  const { ended } = await realSpawner.spawn({
    argv: line.argv,
    env: line.env,
    cwd: '/',
    as: undefined,
    stdin: new Uint8Array(),
    output: (_, chunk) => void out.push(chunk.toString()),
    jail: { given: line.given, status: (chunk) => void status.push(chunk.toString()) },
  })
  await ended
  return { out: out.join(''), exitCode: readStatus(status.join('')).exitCode }
}

t.test('who reads the mail of others sees their folders', { skip }, async (t) => {
  const jail = makeJail(t)
  for (const env of [{}, { LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' }]) {
    const { out, exitCode } = await listed(jail, LOOK, env)
    t.equal(exitCode, 0, out)
    t.equal(out.trim().split('\n').length, 1 + 3 * 4)
  }
})

t.test('a link in the place of a folder, one that is gone, one that may not be entered: the others are shown, and nothing it leads to', { skip }, async (t) => {
  const jail = makeJail(t)
  const of = join(jail.workspace, '..')
  for (const [path, to] of Object.entries({ 'a/new': 'secret', 'a-b/cur': 'gone' })) {
    renameSync(join(of, path), join(of, `${path}.was`))
    symlinkSync(join(of, to), join(of, path))
  }
  rmSync(join(of, 'a/done'), { recursive: true })
  const { out, exitCode } = await listed(jail, LOOK)
  t.equal(exitCode, 0, out)
  t.notMatch(out, /key|a\/new|a\/done|a-b\/cur/)
  t.match(out, '/org/a/cur')
  t.match(out, '/org/ab/new')
})

t.test('a link that was put there after the look: the program is not started', { skip }, async (t) => {
  const jail = makeJail(t)
  const folder = join(jail.workspace, '../a-b/new')
  const { out, exitCode } = await listed(jail, (path) => {
    const seen = LOOK(path)
    if (path === folder) {
      renameSync(folder, `${folder}.was`)
      symlinkSync(join(jail.workspace, '../secret'), folder)
    }
    return seen
  })
  t.notMatch(out, /key|^\/org/m)
  t.equal(exitCode, 75, 'a run that ends so is no attempt')
  t.match(out, /^what \/org shows was moved while the jail was made/)
})

t.test('an agent who locks its folders locks nobody else out', { skip }, async (t) => {
  const jail = makeJail(t)
  const locked = join(jail.workspace, '../a')
  chmodSync(locked, 0)
  t.teardown(() => chmodSync(locked, 0o755))
  // To root no folder is locked.
  const { out, exitCode } = await listed(jail, (path) => (path.startsWith(`${locked}/`) ? undefined : LOOK(path)))
  t.equal(exitCode, 0, out)
  t.notMatch(out, '/org/a/')
  t.match(out, '/org/ab/new')
})
