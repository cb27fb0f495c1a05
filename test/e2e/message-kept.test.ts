import { existsSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, lettersOf, message, until } from './files.ts'

const HEAD = `# why: the board meets on Friday
x-zeta: "kept  as: it is"   # and this too
subject:   'Quoted: with a colon'
x-list:
  - one   # first
  - two

to: legal
priority: high
`

t.test('comments, key order, quoting and the body stay through admission, claim and settlement', async (t) => {
  const org = await organisation(t)
  await org.up()
  const body = '\r\n---\nstatus: done\n---\r\n\ttrailing  \n\n\n'
  org.drop('workspaces/pmo/outbox/kept.md', `---\n${HEAD}---\n${body}`)
  let letter = await until('it', () => lettersOf(org.root, 'legal')[0])
  const kept = (): void => {
    let from = 0
    for (const line of HEAD.trimEnd().split('\n')) {
      const at = letter.raw.indexOf(`${line}\n`, from)
      t.ok(at >= from, `kept in its place: ${line}`)
      from = Math.max(from, at)
    }
    t.equal(letter.body.toString(), body)
  }
  kept()
  for (const [move, status] of [
    ['mv new/* cur/', 'in_progress'],
    ['mv cur/* done/', 'done'],
  ] as const) {
    await org.as('legal', move)
    letter = await until(status, () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === status))
    kept()
  }
})

t.test('a BOM, CRLF line ends, names in capitals and empty bodies are fine; the subject is the first heading or line', async (t) => {
  const org = await organisation(t)
  await org.up()
  const cases = {
    'bom.md': { text: `\ufeff${message({ subject: 'bom' })}`, subject: 'bom' },
    'crlf.md': { text: '---\r\nsubject: crlf\r\nx-a: 1\r\n---\r\nline\r\n', subject: 'crlf' },
    'CAPITALS.MD': { text: message({ subject: 'capitals' }), subject: 'capitals' },
    'no body.md': { text: '---\nsubject: no body\n---', subject: 'no body' },
    'heading.md': { text: message({ priority: 'low' }, '\n# The heading\n\ntext\n'), subject: 'The heading' },
    'bare.md': { text: 'The first line\nand more\n', subject: 'The first line' },
    'umlaut-ä-日本.md': { text: message({ subject: '日本 Ä' }), subject: '日本 Ä' },
    'nothing-said.md': { text: message({ priority: 'low' }, ''), subject: 'nothing-said' },
  }
  for (const [name, one] of Object.entries(cases)) org.drop(`spool/legal/${name}`, one.text)
  for (const [name, one] of Object.entries(cases)) {
    const letter = await until(name, () => lettersOf(org.root, 'legal').find((found) => (found.head.get('subject') ?? '').replace(/\.md$/, '') === one.subject))
    t.match(letter.slug, /^[a-z0-9][a-z0-9-]{0,39}$/, `${name}: ${letter.slug}`)
  }
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
  )
})

t.test('names sort by urgency and then by time of admission, also within one millisecond', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (let n = 0; n < 40; n++) {
    org.drop('spool/legal/m.md', message({ subject: `n${n}`, priority: 'urgent' }))
    await until(`${n}`, () => lettersOf(org.root, 'legal').length === n + 1 && !existsSync(org.at('spool/legal/m.md')))
  }
  t.same(
    lettersOf(org.root, 'legal').map((one) => one.head.get('subject')),
    Array.from({ length: 40 }, (_, n) => `n${n}`),
  )
})
