import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { makeOffice, pause, until } from './office.ts'

const FACTS = 'cat > stdin.txt; env -0 > env.txt; pwd > pwd.txt'

t.test('a run gets the message, the facts and nothing else; what it prints is the reply that settles', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', `${FACTS}; grep ^status: "$PENNY_MESSAGE" > status.txt; echo aside >&2; printf 'Reviewed.\\r\\nFine'`)
  process.env['PENNY_TEST_SECRET'] = 'sk-secret'
  t.teardown(() => delete process.env['PENNY_TEST_SECRET'])
  const dispatcher = await office.open()
  const task = office.deliver('legal', { subject: 'Review', body: '---\nfrom: ceo\n---\nbytes\r\nas they are' })
  mkdirSync(`${office.root}/workspaces/legal/attachments/${task.id}`)
  const original = office.find(task)?.text ?? ''
  dispatcher.offer(task.id)
  const reply = await until('the reply', () => [...office.letters.values()][0])
  t.match(reply, { from: 'legal', to: 'operator', kind: 'note', subject: 'Re: Review', body: 'Reviewed.\r\nFine', inReplyTo: task.id, settles: 'done' })
  await until('done', () => office.find(task)?.folder === 'done')
  t.equal(office.find(task)?.status, 'done')
  t.equal(office.home('legal', 'stdin.txt'), original.replace('status: open', 'status: in_progress'), 'the bytes of the file, claimed')
  t.equal(office.home('legal', 'status.txt'), 'status: in_progress\n')
  t.equal(office.home('legal', 'pwd.txt').trim(), `${office.root}/workspaces/legal/home`)
  const env = office.home('legal', 'env.txt').split('\0').filter(Boolean)
  t.ok(env.includes(`PENNY_ID=${task.id}`))
  t.ok(env.includes(`PENNY_MESSAGE=${office.root}/workspaces/legal/cur/${task.file}`))
  t.ok(env.includes('PENNY_FROM=operator'))
  t.ok(env.includes(`PENNY_ATTACHMENTS=${office.root}/workspaces/legal/attachments/${task.id}`))
  t.notMatch(env.join(), 'sk-secret')
  // tap adds its own to the environment of every process.
  const known = /^(HOME|PATH|LANG|PWD|OLDPWD|SHLVL|_|PENNY_[A-Z_]+|_TAPJS_[A-Z_]+|NODE_OPTIONS)=/
  const strange = env.filter((entry) => !known.test(entry))
  t.same(strange, [], 'an allow-list')
  const log = `${office.root}/workspaces/legal/runs/${task.id}.log`
  t.match(readFileSync(log, 'utf8'), /^--- run .*attempt 1 of 3[\s\S]*aside[\s\S]*--- exit 0/)
  t.equal(statSync(log).mode & 0o777, 0o640)
  await until('nothing is left written', () => office.records().length === 0)
  t.same(
    office.events.map(({ event }) => event),
    ['run-started', 'run-ended'],
  )
})

t.test('the file is right: a run may settle or block its task itself', async (t) => {
  const office = makeOffice(t)
  office.agent('fails', 'sed -i "s/^status: .*/status: failed/" "$PENNY_MESSAGE"; echo cannot; exit 1')
  office.agent('moves', 'mv "$PENNY_MESSAGE" ../done/; echo moved')
  office.agent('blocks', 'sed -i "s/^status: .*/status: blocked/" "$PENNY_MESSAGE"; echo later; exit 75')
  const tasks = ['fails', 'moves', 'blocks'].map((name) => office.deliver(name))
  const dispatcher = await office.open()
  await until('all ended', () => office.events.filter(({ event }) => event === 'run-ended').length === 3)
  t.same(
    tasks.map((task) => office.find(task)?.status),
    ['failed', 'done', 'blocked'],
  )
  t.same([...office.letters.values()].map(({ from, body, settles }) => `${from} ${body.trim()} ${settles}`).sort(), ['fails cannot no', 'moves moved no'])
  t.match(readFileSync(`${office.root}/workspaces/blocks/runs/${tasks[2]?.id}.log`, 'utf8'), 'later')
  t.same(office.faults, [])
  await until('at rest', () => dispatcher.running().length === 0)
})

t.test('no reply to an empty output, to nobody, to oneself', async (t) => {
  const office = makeOffice(t)
  office.agent('quiet', 'echo; echo " "')
  office.agent('loud', 'echo hello')
  office.deliver('quiet')
  office.deliver('loud', { from: 'unknown' })
  office.deliver('loud', { from: 'pennypost' })
  office.deliver('loud', { from: office.agent('loud', 'echo hello'), reminder: true })
  await office.open()
  await until('all ended', () => office.events.filter(({ event }) => event === 'run-ended').length === 4)
  t.same([...office.letters.keys()], [])
})

t.test('a reply longer than a message can be is cut at a whole character and says where the rest is', async (t) => {
  const office = makeOffice(t)
  office.agent('long', 'i=0; while [ $i -lt 1000 ]; do printf "€€€€€€€€€€"; i=$((i+1)); done')
  const task = office.deliver('long')
  await office.open()
  const { body } = await until('the reply', () => [...office.letters.values()][0])
  t.ok(Buffer.byteLength(body) < 8192)
  t.match(body, new RegExp(`^€+\\n\\n\\(cut here: 2\\d+ bytes more are in runs/${task.id}.log\\)\\n$`))
  const log = readFileSync(`${office.root}/workspaces/long/runs/${task.id}.log`, 'utf8')
  t.equal(log.match(/€/g)?.length, 10_000, 'the log has it all')
})

t.test('what a run leaves in the background ends with it; one that leaves its group does not hold it up', async (t) => {
  const office = makeOffice(t)
  office.agent('forks', 'sleep 600 & echo $! > child.txt; setsid sleep 3 & sleep 0.2; echo bye')
  office.deliver('forks')
  await office.open()
  const start = performance.now()
  await until('the reply', () => office.letters.size === 1)
  t.ok(performance.now() - start < 2900, 'not when the sleeper ends')
  t.match(office.home('forks', 'child.txt'), /^\d+\n$/)
  const stat = (): string => {
    try {
      return readFileSync(`/proc/${office.home('forks', 'child.txt').trim()}/stat`, 'utf8')
    } catch {
      return 'gone'
    }
  }
  await until('the child is gone', () => stat() === 'gone' || stat().includes(') Z '))
})

t.test('a log planted as a pipe or a link neither stops nor misleads', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', 'echo hello')
  const target = `${office.root}/target`
  writeFileSync(target, 'kept')
  const task = office.deliver('legal')
  symlinkSync(target, `${office.root}/workspaces/legal/runs/${task.id}.log`)
  await office.open()
  await until('the reply', () => office.letters.size === 1)
  t.equal(readFileSync(target, 'utf8'), 'kept')
})

t.test('input that nobody reads is no fault', async (t) => {
  const office = makeOffice(t)
  office.agent('deaf', 'exec 0<&-; echo fine')
  office.deliver('deaf', { body: 'x'.repeat(4 * 1024 ** 2) })
  await office.open()
  t.equal((await until('the reply', () => [...office.letters.values()][0])).body, 'fine\n')
  await pause(1)
})
