import t from 'tap'
import { organisation } from './driver.ts'
import { heldFiles, lettersOf, message, until } from './files.ts'

/** The control and direction-changing characters in a text, tab and line end apart, as hexadecimal codes. */
function unsafe(text: string): string[] {
  const codes = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
  return codes
    .filter((code) => (code < 0x20 && code !== 9 && code !== 10) || (code >= 0x7f && code <= 0x9f) || (code >= 0x202a && code <= 0x202e))
    .map((code) => code.toString(16))
}

t.test('tasks, show, thread, log, agents, events and held read the files, with the daemon or without it, as text and as JSON', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: 'manager: legal\n', cfo: '' } })
  await org.up()
  const send = async (path: string, head: Record<string, string>, holder: string): Promise<string> => {
    org.drop(path, message(head, 'The body.\n'))
    return (await until(head['subject'] ?? '', () => lettersOf(org.root, holder).find((one) => one.head.get('subject') === head['subject']))).id
  }
  const urgent = await send('workspaces/pmo/outbox/a.md', { to: 'legal', subject: 'urgent one', priority: 'urgent' }, 'legal')
  const low = await send('workspaces/pmo/outbox/b.md', { to: 'legal', subject: 'low one', priority: 'low' }, 'legal')
  const other = await send('spool/cfo/c.md', { subject: 'of the operator' }, 'cfo')
  const finished = await send('spool/cfo/d.md', { subject: 'finished one' }, 'cfo')
  const reply = await send('workspaces/legal/outbox/e.md', { to: 'pmo', subject: 'a reply', in_reply_to: urgent, settles: 'blocked' }, 'pmo')
  await org.as('cfo', 'mv new/*finished* done/')
  await until('settled', () => lettersOf(org.root, 'cfo').find((one) => one.id === finished && one.head.get('status') === 'done'))
  await until('blocked', () => lettersOf(org.root, 'legal').find((one) => one.id === urgent && one.head.get('status') === 'blocked'))
  org.drop('spool/wrong.md', message({ to: 'nobody' }))
  await until('held', () => heldFiles(org.root).length === 1)

  for (const daemon of ['up', 'down']) {
    if (daemon === 'down') await org.end()
    const ids = async (...filter: string[]): Promise<unknown[]> => (await org.json(['tasks', ...filter])).map((task) => task['id'])
    t.same(await ids(), [urgent, other, low], `${daemon}: what is not settled, most urgent first`)
    t.same(await ids('priority:low'), [low])
    t.same(await ids('status:done'), [finished])
    t.same(await ids('to:cfo', 'from:operator'), [other])
    t.same(await ids(`thread:${urgent}`), [urgent])
    t.same(await ids('status:blocked', 'priority:urgent', 'to:legal', 'from:pmo'), [urgent])
    const text = await org.penny(['tasks'])
    t.equal(text.status, 0)
    t.ok(text.out.indexOf('urgent one') >= 0 && text.out.indexOf('urgent one') < text.out.indexOf('low one'), `${daemon}: as text`)
    t.notOk(text.out.includes('\x1b'), 'no colour in a pipe')
    for (const length of [36, 12, 8]) {
      const shown = await org.penny(['show', urgent.slice(-length)])
      t.equal(shown.status, 0, `${daemon}: an id of ${length} characters: ${shown.err}`)
      t.match(shown.out, /The body\./)
    }
    t.equal((await org.penny(['show', urgent.slice(-3)])).status, 64, `${daemon}: three characters are too few`)
    const thread = await org.penny(['thread', reply])
    t.equal(thread.status, 0)
    t.match(thread.out, /urgent one[\s\S]*blocked|blocked[\s\S]*urgent one/)
    t.match(thread.out, /a reply/)
    const log = await org.penny(['log', urgent.slice(-8)])
    t.equal(log.status, 0)
    t.match(log.out, /deliver/)
    const agents = await org.json(['agents'])
    t.same(
      agents.map((agent) => String(agent['name'])).sort((a, b) => a.localeCompare(b)),
      ['cfo', 'legal', 'pmo'],
      `${daemon}: an object for each agent`,
    )
    t.equal((await org.penny(['agents'])).status, 0)
    for (const command of ['tasks', 'agents', 'held', 'events', 'alerts', 'paths', 'report']) {
      for (const object of await org.json([command]))
        t.match(object['schema'], new RegExp(`^penny/${command}/1$`), `${daemon}: ${command} --json tells its schema`)
    }
    for (const command of ['show', 'thread', 'log']) {
      const objects = await org.json([command, urgent])
      t.ok(objects.length > 0)
      for (const object of objects) t.equal(object['schema'], `penny/${command}/1`, `${daemon}: ${command}`)
    }
    t.match((await org.penny(['held'])).out, /unknown-recipient/, `${daemon}: held`)
    t.match((await org.penny(['alerts'])).out, /unknown-recipient/, `${daemon}: alerts`)
    t.match((await org.penny(['events'])).out, /admitted|delivered/i, `${daemon}: events`)
    t.ok((await org.json(['events', '--agent', 'cfo'])).length > 0)
    t.same(await org.json(['events', '--since', '2099-01-01']), [])
    t.match((await org.penny(['report', '--since', '1d'])).out, /penny /, `${daemon}: the report's lines have their commands`)
    t.ok((await org.penny(['paths'])).out.includes(org.root), `${daemon}: paths`)
  }
})

t.test('control characters from messages are shown escaped', async (t) => {
  const org = await organisation(t)
  await org.up()
  // such a subject may be refused: then held, alerts and report have to show it
  org.drop('spool/legal/b.md', message({ subject: '"red \\e[31m\\u202e bell \\a"' }, 'body\n'))
  org.drop('spool/legal/esc\u001b[31m.md', 'x')
  org.drop('spool/legal/a.md', message({ subject: 'a' }, 'body \u001b[2J\u009b31m \u202e end\n'))
  const letter = await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'a'))
  for (const args of [
    ['tasks'],
    ['show', letter.id],
    ['thread', letter.id],
    ['log', letter.id],
    ['agents'],
    ['status'],
    ['report'],
    ['held'],
    ['alerts'],
    ['events'],
  ]) {
    const shown = await org.penny(args)
    t.same(unsafe(shown.out), [], `penny ${args[0]}`)
  }
  t.match((await org.penny(['show', letter.id])).out, /\\x1b\[2J/)
})
