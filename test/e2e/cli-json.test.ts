/** A program that drives penny reads `--json`: each object has its schema and what it is about. */
import t from 'tap'
import { type Command, jsonLines, organisation, run } from './driver.ts'
import { alertOf, heldFiles, lettersOf, message, until } from './files.ts'

t.test('each command that does something tells what it did with --json: its schema, the id or name, and the state that came of it', async (t) => {
  const org = await organisation(t)
  const does = async (args: readonly string[], expected: readonly object[], how?: Command): Promise<Record<string, unknown>[]> => {
    const ended = await org.penny([...args, '--json'], how)
    t.equal(ended.status, 0, `penny ${args.join(' ')}: ${ended.err}`)
    const objects = jsonLines(ended.out)
    const schema = `penny/${args[0]}/1`
    t.match(
      objects,
      expected.map((one) => ({ schema, ...one })),
      `penny ${args.join(' ')}: ${ended.out}`,
    )
    t.equal(objects.length, expected.length, 'and nothing else')
    return objects
  }

  const made = `${org.base}/made`
  const [init] = await does(['init', made], [{ root: made }])
  t.match(String(init?.['files']), /\bpolicies\/org\.yaml\b/, 'init names what it wrote')

  const [up] = await does(['up', '--detach'], [{ root: org.root }])
  const pid = Number(up?.['pid'])
  t.teardown(() => run([process.execPath, '-e', `try { process.kill(${pid}) } catch {}`]))
  t.match((await run(['cat', `/proc/${pid}/cmdline`])).out, 'up', 'the pid is that of the daemon')
  t.equal((await run(['test', '-s', String(up?.['log'])])).status, 0, 'the log is there')

  for (const subject of ['one', 'two', 'three']) org.drop(`spool/legal/${subject}.md`, message({ subject }))
  org.drop('spool/typo.md', message({ to: 'legla', subject: 'typo' }))
  await until('all four', () => lettersOf(org.root, 'legal').length === 3 && alertOf(org.root, 'unknown-recipient'))
  const idOf = (subject: string): string => lettersOf(org.root, 'legal').find(({ head }) => head.get('subject') === subject)?.id ?? ''
  const [one, two, three] = ['one', 'two', 'three'].map(idOf) as [string, string, string]

  await does(['set', one, 'priority=urgent', 'due=2099-01-02'], [{ id: one, priority: 'urgent', due: '2099-01-02' }])
  await does(['claim', one, '--agent', 'legal'], [{ id: one, status: 'in_progress' }])
  await does(['settle', one, 'done', '-m', 'signed', '--agent', 'legal'], [{ id: one, status: 'done' }])
  await does(['settle', two, 'blocked', '--on', three, '--agent', 'legal'], [{ id: two, status: 'blocked' }])
  await does(['set', two, 'status=cancelled'], [{ id: two, status: 'cancelled' }])
  const [reply] = await does(['reply', three, '--settles', 'done', '--agent', 'legal'], [{ state: 'admitted', copies: [{ to: 'operator' }] }], {
    input: 'Here it is',
  })
  t.same(
    lettersOf(org.root, 'operator').map(({ id }) => id),
    reply?.['ids'],
    'reply names the message that it became',
  )
  await does(['pause', 'legal'], [{ name: 'legal', paused: ['legal'] }])
  await does(['resume', 'legal'], [{ name: 'legal', paused: [] }])
  const file = alertOf(org.root, 'unknown-recipient')?.file
  await does(['alerts'], [{ code: 'unknown-recipient', file }])
  await does(['alerts', 'done', 'all'], [{ closed: [file] }])
  await does(['alerts'], [])
  t.equal(heldFiles(org.root).length, 1, 'closing an alert lets nothing go')
  await does(['down'], [{ pid, state: 'stopped' }])
})
