import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { describeProblem, loadConfig, readPolicies } from '../../src/config/index.ts'
import { realSystem } from '../../src/system/index.ts'
import { SOUND } from './organisation.ts'

const { disk } = await realSystem(t.testdir(), 'error', () => undefined)

/** A sound organisation on disk. */
function onDisk(t: Test): string {
  const dir = `${t.testdir({})}/policies`
  for (const [path, text] of Object.entries(SOUND)) {
    mkdirSync(`${dir}/${path}`.replace(/\/[^/]*$/, ''), { recursive: true })
    writeFileSync(`${dir}/${path}`, text)
  }
  return dir
}

function complaintsOf(dir: string): string[] {
  const loaded = loadConfig(readPolicies(disk, dir), dir)
  return loaded.ok ? [] : loaded.problems.map(describeProblem)
}

t.test('what is on disk is what is loaded, hidden and unfinished files aside', async (t) => {
  const dir = onDisk(t)
  const before = loadConfig(readPolicies(disk, dir), dir)
  t.ok(before.ok)
  mkdirSync(`${dir}/.git/objects`, { recursive: true })
  for (const path of ['.git/HEAD', '.git/objects/x', 'agents/.legal.md.swp', 'agents/legal.md~', 'agents/new.md.tmp', 'agents/#legal.md#', 'groups/.gitkeep'])
    writeFileSync(`${dir}/${path}`, 'rubbish: [')
  const after = loadConfig(readPolicies(disk, dir), dir)
  t.equal(after.ok && after.config.digest, before.ok && before.config.digest)
  t.equal(after.ok && after.config.dir, dir)
})

t.test('a program that is no text counts in the digest, byte for byte', async (t) => {
  const dir = onDisk(t)
  const digestWith = (bytes: Buffer) => {
    writeFileSync(`${dir}/runners/tool`, bytes)
    const loaded = loadConfig(readPolicies(disk, dir), dir)
    return loaded.ok && loaded.config.digest
  }
  const first = digestWith(Buffer.from([0x7f, 0x45, 0xff, 0]))
  t.type(first, 'string')
  t.not(digestWith(Buffer.from([0x7f, 0x45, 0xfe, 0])), first)
  writeFileSync(`${dir}/agents/legal.md`, '---\nrunner: { command: [./tool] }\n---\nx')
  t.same(complaintsOf(dir), [], 'and may be a runner')
})

t.test('a folder that is not there, is a file, or is empty, is a problem and never an organisation without agents', async (t) => {
  const dir = t.testdir({ file: '', empty: {} })
  t.same(complaintsOf(`${dir}/nowhere`), ['policies/: the folder cannot be read: it is not there'])
  t.same(complaintsOf(`${dir}/file`), ['policies/: the folder cannot be read: ENOTDIR'])
  t.same(complaintsOf(`${dir}/empty`), ['policies/: the folder is empty: org.yaml, one person and one agent are needed'])
})

t.test('links and pipes are named, and neither followed nor opened', async (t) => {
  const dir = onDisk(t)
  symlinkSync('/etc/passwd', `${dir}/agents/stolen.md`)
  symlinkSync('nowhere', `${dir}/agents/dangling.md`)
  symlinkSync('/etc', `${dir}/runners/etc`)
  execFileSync('mkfifo', [`${dir}/agents/pipe.md`])
  t.same(complaintsOf(dir), [
    'policies/agents/dangling.md: links are not followed in policies/: put the file itself here',
    'policies/agents/pipe.md: only regular files are read in policies/',
    'policies/agents/stolen.md: links are not followed in policies/: put the file itself here',
    'policies/runners/etc: links are not followed in policies/: put the file itself here',
  ])
})

t.test('bytes that are not UTF-8 are refused where they stand, and the agent still counts as one', async (t) => {
  const dir = onDisk(t)
  writeFileSync(`${dir}/agents/ceo.md`, Buffer.concat([Buffer.from('---\ntitle: Ch\u00e9f'), Buffer.from([0xe9]), Buffer.from('\n---\n')]))
  t.same(complaintsOf(dir), ['policies/agents/ceo.md:2:12: not valid UTF-8'])
})

t.test('a file above its bound and folders without end are refused', async (t) => {
  const dir = onDisk(t)
  writeFileSync(`${dir}/agents/ceo.md`, 'x'.repeat(256 * 1024 + 1))
  mkdirSync(`${dir}/runners/${'d/'.repeat(12)}`, { recursive: true })
  t.same(complaintsOf(dir), ['policies/agents/ceo.md: larger than 262144 bytes', 'policies/runners/d/d/d/d/d/d/d/: folders nested deeper than 8 are not read'])
})

// uid 0 reads everything: as root there is nothing to see.
const unreadable = async (t: Test): Promise<void> => {
  const dir = onDisk(t)
  chmodSync(`${dir}/agents/ceo.md`, 0)
  t.same(complaintsOf(dir), ['policies/agents/ceo.md: cannot be read: permission denied'])
  chmodSync(`${dir}/agents`, 0)
  t.same(complaintsOf(dir), ['policies/: the folder cannot be read: permission denied'])
  chmodSync(`${dir}/agents`, 0o755)
}
if (process.getuid?.() !== 0) t.test('what cannot be read is a problem', unreadable)
