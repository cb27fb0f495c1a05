import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { TOOLS, useTool } from '../../src/runners/tools.ts'

const given = { mostCharacters: 2_000, progress: () => true }
const use = (home: string, name: string, input: unknown): ReturnType<typeof useTool> => useTool(given, home, name, input)

t.test('a command gives what it prints on both streams, and how it ended', async (t) => {
  const home = t.testdir()
  t.same(await use(home, 'Bash', { command: 'echo a; echo b >&2' }), { text: 'a\nb', isError: false })
  t.same(await use(home, 'Bash', { command: 'echo a; exit 3' }), { text: 'a\n(exit 3)', isError: true })
  t.same(await use(home, 'Bash', { command: 'kill -TERM $$' }), { text: '(killed by SIGTERM)', isError: true })
  t.same(await use(home, 'Bash', { command: 'true' }), { text: '(no output)', isError: false })
})

t.test('a command is ended with all that it started', async (t) => {
  const { text, isError } = await use(t.testdir(), 'Bash', { command: 'sleep 600 & echo $!; sleep 600', timeout: 1_000 })
  t.match(text, /^\d+\n\(ended after 1 s\)$/)
  t.ok(isError)
  const [pid = ''] = text.split('\n')
  t.notMatch(stateOf(pid), /^[RSD]$/, 'what it left in the background, too')
})

t.test('what goes on in the background is not waited for', async (t) => {
  const { text } = await use(t.testdir(), 'Bash', { command: 'sleep 600 & echo $!' })
  t.match(text, /^\d+$/)
  process.kill(Number(text), 'SIGKILL')
})

t.test('long output loses its middle', async (t) => {
  const { text } = await use(t.testdir(), 'Bash', { command: 'seq 1 5000' })
  t.ok(text.length < 2_100)
  t.match(text, /^1\n2\n[\s\S]*… \d+ bytes are left out here …[\s\S]*\n4999\n5000$/)
})

t.test('files are read by lines, written, and changed in one place only', async (t) => {
  const home = t.testdir({ 'a.txt': 'one\ntwo\nthree\n' })
  t.same(await use(home, 'Read', { file_path: 'a.txt', offset: 2, limit: 1 }), { text: 'two', isError: false })
  t.match(await use(home, 'Read', { file_path: join(home, 'none') }), { isError: true, text: /ENOENT/ })
  t.match(await use(home, 'Read', { file_path: '/dev/zero' }), { isError: true, text: /is no file/ })
  t.notOk((await use(home, 'Edit', { file_path: 'a.txt', old_string: 'two', new_string: '$& two' })).isError)
  t.equal(readFileSync(join(home, 'a.txt'), 'utf8'), 'one\n$& two\nthree\n')
  t.match(await use(home, 'Edit', { file_path: 'a.txt', old_string: 'e', new_string: '' }), { isError: true, text: /occurs 3 times/ })
  t.notOk((await use(home, 'Write', { file_path: 'b.txt', content: 'x' })).isError)
  t.equal(readFileSync(join(home, 'b.txt'), 'utf8'), 'x')
  writeFileSync(join(home, 'long.txt'), 'x'.repeat(5_000))
  t.match((await use(home, 'Read', { file_path: 'long.txt' })).text, /x{2000}\n… 3000 characters are left out/)
})

t.test('whatever a model calls with is answered', async (t) => {
  const home = t.testdir()
  for (const name of [...TOOLS.map((tool) => tool.name), 'Fly'])
    for (const input of [undefined, null, 3, 'x', [], {}, { args: [1], command: {}, file_path: [], line: null }])
      t.equal((await use(home, name, input)).isError, true, `${name} ${JSON.stringify(input)}`)
})

function stateOf(pid: string): string {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? ''
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 'gone'
    throw cause
  }
}
