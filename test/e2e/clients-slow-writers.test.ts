import { spawn } from 'node:child_process'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, lettersOf, pause, until } from './files.ts'

const BODY = 'first half\nsecond half'
/** Each writes the first half, keeps the file open for 5 s and writes the rest; $1 is the path. The daemon sees an intact message in the first half. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  shell: [
    '/bin/sh',
    '-c',
    'exec 3>"$1"; printf -- "---\\nto: legal\\nsubject: shell\\n---\\nfirst half\\n" >&3; sleep 5; printf "second half" >&3; exec 3>&-',
    'sh',
  ],
  python: [
    '/usr/bin/python3',
    '-c',
    'import sys, time\nf = open(sys.argv[1], "w")\nf.write("---\\nto: legal\\nsubject: python\\n---\\nfirst half\\n"); f.flush(); time.sleep(5); f.write("second half"); f.close()',
  ],
  append: ['/bin/sh', '-c', '{ printf -- "---\\nto: legal\\nsubject: append\\n---\\nfirst half\\n"; sleep 5; printf "second half"; } >> "$1"', 'sh'],
  'cut-off': ['/bin/sh', '-c', '{ printf -- "---\\nto: legal\\nsubject: cut-off\\n"; sleep 5; printf -- "---\\nfirst half\\nsecond half"; } > "$1"', 'sh'],
}

function write(name: string, path: string): Promise<number> {
  const [program = '', ...args] = WRITERS[name] ?? []
  const child = spawn(program, [...args, path], { stdio: 'inherit' })
  return new Promise((resolve, reject) => child.on('error', reject).on('exit', () => resolve(performance.now())))
}

t.test('a writer that pauses 5 s in the middle with the file open is waited for, and then delivered at once and whole', async (t) => {
  const org = await organisation(t)
  await org.up()
  const ends = Object.fromEntries(Object.keys(WRITERS).map((name) => [name, write(name, org.at('spool', `${name}.md`))]))
  const start = performance.now()
  while (performance.now() - start < 4500) {
    if (lettersOf(org.root, 'legal').length > 0) break
    await pause(20)
  }
  t.same(
    lettersOf(org.root, 'legal').map((letter) => letter.file),
    [],
    'nothing is delivered while it is being written',
  )
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'nothing is flagged while it is being written',
  )
  for (const [name, end] of Object.entries(ends)) {
    const closed = await end
    const letter = await until(name, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === name))
    t.equal(letter.body.toString(), BODY, `${name}: whole`)
    // promise 1: 2 s after it was complete; + 1 s for a loaded machine
    t.ok(performance.now() - closed < 3000, `${name}: soon after its close`)
  }
  t.equal(lettersOf(org.root, 'legal').length, Object.keys(WRITERS).length, 'each once')
})

t.test('a file that is being written while the daemon starts is waited for', async (t) => {
  const org = await organisation(t)
  await org.up()
  await org.end()
  const child = spawn('/bin/sh', [
    '-c',
    'exec 3>"$1"; printf -- "---\\nto: legal\\n---\\nfirst half\\n" >&3; sleep 8; printf "second half" >&3; exec 3>&-',
    'sh',
    org.at('spool', 'slow.md'),
  ])
  let writing = true
  child.on('exit', () => {
    writing = false
  })
  await pause(300)
  await org.up()
  let early = 0
  let looks = 0
  while (writing) {
    const count = lettersOf(org.root, 'legal').length
    await pause(20)
    // only what was there a moment before the writer's end is early
    if (writing) {
      early = Math.max(early, count)
      looks++
    }
  }
  t.ok(looks > 0, 'the daemon was up while it was being written')
  t.equal(early, 0, 'nothing is delivered while it is being written')
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  t.equal(letter.body.toString(), BODY)
})
