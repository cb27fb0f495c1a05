import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { filesIn, lettersIn, lettersOf, message, pause, sentBy, until } from './files.ts'

/** What a machine without koffi's binary does: the import fails. */
const HOOKS = `export async function resolve(word, context, next) {
  if (word === 'koffi') throw Object.assign(new Error('Cannot find module koffi'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(word, context)
}`
const PRELOAD = `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOKS)}))`

t.test('without a single native call: mail is delivered, slow writers are waited for, messages claimed, settled and answered; and it is said', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'penny-no-koffi-'))
  const before = process.env['NODE_OPTIONS']
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = before
    rmSync(folder, { recursive: true, force: true })
  })
  writeFileSync(join(folder, 'no-koffi.mjs'), PRELOAD)
  process.env['NODE_OPTIONS'] = `--import=${join(folder, 'no-koffi.mjs')}`
  const org = await organisation(t)
  await org.up()

  const [status] = await org.json(['status'])
  t.equal(status?.['completeness'], 'proc')
  t.match((await org.penny(['status'])).out, /writers +looked for in \/proc/)
  const journal = readdirSync(org.at('.penny/journal')).map((name) => readFileSync(org.at('.penny/journal', name), 'utf8'))
  t.match(journal.join(''), /"state":"started"[^\n]* proc"/)
  t.match(org.log(), /"completeness":"proc"/)
  const doctor = await org.json(['doctor'])
  t.match(
    doctor.find(({ check }) => check === 'completeness'),
    { outcome: 'note', what: /\/proc/ },
  )
  t.match(
    doctor.find(({ check }) => check === 'daemon'),
    { outcome: 'ok', what: /completeness by proc/ },
  )

  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'review' }))
  const letter = await until('delivered', () => lettersOf(org.root, 'legal')[0])
  await until('the mirror', () => sentBy(org.root, 'pmo').some(({ head }) => head.get('status') === 'open'))

  // Open for writing, and still; what is there already reads like a whole message.
  const script = 'exec 3>"$1"; printf -- "---\\nsubject: slow\\n---\\nfirst " >&3; sleep 2; printf "second" >&3; exec 3>&-'
  const writer = spawn('/bin/sh', ['-c', script, 'sh', org.at('spool/legal/slow.md')], { stdio: 'ignore' })
  let writing = true
  const ended = new Promise((resolve) => writer.on('exit', resolve)).then(() => {
    writing = false
  })
  const slow = () => lettersOf(org.root, 'legal').find(({ head }) => head.get('subject') === 'slow')
  let early = 0
  for (; writing; await pause(20)) if (slow() && writing) early++
  await ended
  t.equal(early, 0, 'nothing is delivered while it is being written')
  t.equal((await until('the slow one', slow)).body.toString(), 'first second')

  await org.as('legal', 'mv new/"$1" cur/', letter.file)
  await until('claimed', () => lettersIn(org.at('workspaces/legal/cur')).find(({ head }) => head.get('status') === 'in_progress'))
  await until('the mirror follows', () => sentBy(org.root, 'pmo').some(({ head }) => head.get('status') === 'in_progress'))
  const [claimed = ''] = filesIn(org.at('workspaces/legal/cur'))
  await org.as('legal', 'sed -i "s/^status: .*/status: done\\nresult: it is well/" cur/"$1"', claimed)
  const settled = await until('settled', () => lettersIn(org.at('workspaces/legal/done'))[0])
  t.equal(settled.head.get('result'), 'it is well')
  t.equal(settled.id, letter.id)
  await until('the mirror says so', () => sentBy(org.root, 'pmo').some(({ head }) => head.get('status') === 'done' && head.get('result') === 'it is well'))

  t.equal((await org.penny(['settle', slow()?.id ?? '', 'failed', '-m', 'no', '--agent', 'legal'])).status, 0)
  await until('both are settled', () => lettersIn(org.at('workspaces/legal/done')).length === 2)
  await org.end('SIGKILL')
  await org.up()
  t.equal(lettersOf(org.root, 'legal').length, 2, 'nothing comes twice')
  t.ok(isTrue(await accounting(org)))
  t.same(
    filesIn(org.at('.penny/staging')).filter((name) => !name.startsWith('.')),
    [],
    'nothing is left in staging',
  )
})
