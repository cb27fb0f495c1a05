import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { organisation, PENNY } from './driver.ts'
import { filesIn, message, until } from './files.ts'

t.test('what is sent for later prints its ref and ends with 0', async (t) => {
  const org = await organisation(t)
  await org.up()
  const later = new Date(Date.now() + 86_400_000).toISOString()
  const sent = await org.penny(['send', 'legal', '--not-before', later, '--ref', 'for-later', '-m', 'q'])
  t.equal(sent.status, 0, sent.err)
  t.equal(sent.out, 'for-later\n')
  t.match(sent.err, /delivered when its time has come/)
  const [object] = await org.json(['send', 'legal', '--not-before', later, '--ref', 'also-later', '-m', 'q'])
  t.match(object, { state: 'dropped', ref: 'also-later', ids: [] })
})

t.test('what a full mailbox keeps waiting prints its ref and ends with 75', async (t) => {
  const org = await organisation(t, { org: 'limits: { backlog: 1 }\n' })
  await org.up()
  org.drop('spool/legal/first.md', message({ subject: 'first' }))
  await until('the first', () => filesIn(org.at('workspaces/legal/new'))[0])
  const sent = await org.penny(['send', 'legal', '--ref', 'second', '-m', 'q'])
  t.equal(sent.status, 75, sent.err)
  t.equal(sent.out, 'second\n')
  t.match(sent.err, /--ref second it is no second message/)
})

t.test('a command whose wait can never end says so and ends with 70', async (t) => {
  const org = await organisation(t)
  // a connection that never tells anything, and keeps nothing alive
  const preload = `import net from 'node:net'; import { EventEmitter } from 'node:events'; import { syncBuiltinESMExports } from 'node:module'
    net.createConnection = () => new EventEmitter(); syncBuiltinESMExports()`
  const ended = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, PENNY, 'status'], {
    env: { ...process.env, PENNY_ROOT: org.root },
  })
  t.equal(ended.status, 70)
  t.match(ended.stderr.toString(), /a mistake in penny itself[\s\S]*fix: penny doctor; penny status\n/)
})

t.test('a command that may open no more files says so and ends with 75', async (t) => {
  const org = await organisation(t)
  const child = spawn(process.execPath, [PENNY, 'send', 'legal', '--root', org.root])
  let told = ''
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString()
  })
  // More than lies on the way: once it is taken, the command reads its body.
  await new Promise((taken) => child.stdin.write(Buffer.alloc(1024 * 1024, 'x'), taken))
  t.equal(spawnSync('prlimit', ['--pid', String(child.pid), '--nofile=3:3']).status, 0)
  child.stdin.end()
  t.same(await once(child, 'close'), [75, null], told)
  t.match(told, /^EMFILE: [\s\S]*\n +why: too many files are open\n +fix: ulimit -n/)
})
