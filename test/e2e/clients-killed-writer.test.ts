import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, alertsOf, lettersOf, message, pause, until } from './files.ts'

t.test('a message whose writer was killed in its front matter is never delivered, and flagged after 5 s', async (t) => {
  const org = await organisation(t)
  await org.up()
  const child = spawn('/bin/sh', ['-c', 'exec 3>"$1"; printf -- "---\\nto: legal\\nsubj" >&3; exec sleep 60', 'sh', org.at('spool', 'half.md')])
  t.teardown(() => child.kill('SIGKILL'))
  await pause(1000)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const killed = performance.now()
  writeFileSync(org.at('spool/legal', 'empty.md'), '')
  const half = await until('an alert for half.md', () => alertOf(org.root, 'bad-front-matter', 'half.md'))
  // 5 s of watching + 2 s (promise 1) + 1 s for a loaded machine; half a second less than 5 s for clocks of coarse grain
  const tookMs = performance.now() - killed
  t.ok(tookMs > 4500 && tookMs < 8000, `flagged after 5 s, not before: ${Math.round(tookMs)} ms`)
  t.match(half.head.get('fix') ?? '', /./, 'with a fix')
  await until('an alert for the empty file', () => alertOf(org.root, 'bad-front-matter', 'empty.md'))
  t.same(
    lettersOf(org.root, 'legal').map((letter) => letter.file),
    [],
    'nothing is delivered',
  )
})

t.test('a file that is touched first and filled within 5 s is an ordinary message', async (t) => {
  const org = await organisation(t)
  await org.up()
  writeFileSync(org.at('spool', 'touched.md'), '')
  await pause(2000)
  writeFileSync(org.at('spool', 'touched.md'), message({ to: 'legal', subject: 'filled' }))
  await until('the message', () => lettersOf(org.root, 'legal').find((letter) => letter.head.get('subject') === 'filled'))
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
  )
})

t.test('names of files that are being written are left alone, and count once they are renamed', async (t) => {
  const org = await organisation(t)
  await org.up()
  const drafts = ['.hidden.md', 'a.md~', 'b.md.swp', 'c.md.tmp', 'd.md.part', 'e.tmp']
  for (const draft of drafts) writeFileSync(org.at('spool/legal', draft), message({ subject: draft }))
  await pause(3000)
  t.same(
    lettersOf(org.root, 'legal').map((letter) => letter.file),
    [],
  )
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
  )
  for (const [i, draft] of drafts.entries()) renameSync(org.at('spool/legal', draft), org.at('spool/legal', `done-${i}.md`))
  await until('all of them', () => lettersOf(org.root, 'legal').length === drafts.length)
})
