import { existsSync } from 'node:fs'
import t from 'tap'
import { organisation, paste } from './driver.ts'
import { alertOf, lettersOf, message, until } from './files.ts'

const GREETING = '---\nto: legal\nsubject: Grüße\n---\nbody\n'

t.test('the fix of a text in another encoding converts it, and says which it looks like', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  const texts = {
    "it's utf16.md": { looks: 'UTF-16', text: Buffer.from(`\ufeff${GREETING}`, 'utf16le') },
    'big end.md': { looks: 'UTF-16', text: Buffer.from(`\ufeff${GREETING}`, 'utf16le').swap16() },
    'latin.md': { looks: 'WINDOWS-1252', text: Buffer.from(GREETING, 'latin1') },
  }
  for (const [name, { looks, text }] of Object.entries(texts)) {
    org.drop(`workspaces/pmo/outbox/${name}`, text, org.owner('pmo'))
    const alert = await until(name, () => alertOf(org.root, 'bad-encoding', name))
    t.match(alert.text, new RegExp(`is not valid UTF-8; it looks like ${looks}`))
    const before = lettersOf(org.root, 'legal').length
    const pasted = await paste(org, alert.head.get('fix'))
    t.equal(pasted.status, 0, pasted.err)
    await until(`${name} delivered`, () => lettersOf(org.root, 'legal').length === before + 1)
  }
  t.same(
    lettersOf(org.root, 'legal').map(({ head }) => `${head.get('from')}: ${head.get('subject')}`),
    ['pmo: Grüße', 'pmo: Grüße', 'pmo: Grüße'],
    'it stays its sender’s',
  )
})

t.test('what is neither is for an editor: no encoding is guessed', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/legal/odd.md', Buffer.from([0xc3, 0x81, 0xff, 0x81, 0x0a]))
  org.drop('spool/legal/byte.md', Buffer.from([0xff]))
  const odd = await until('odd', () => alertOf(org.root, 'bad-encoding', 'odd.md'))
  t.match(odd.head.get('fix'), /^\$\{EDITOR:-vi\} /)
  await until('one byte', () => alertOf(org.root, 'bad-encoding', 'byte.md'))
})

t.test('the fix of a missing attachment names the place that the file must have', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  org.drop('spool/legal/two.md', message({ subject: 'two', attach: '[a b.pdf, c.pdf]' }))
  org.drop('workspaces/pmo/outbox/deep.md', message({ to: 'legal', subject: 'deep', attach: '[docs/d.pdf]' }), org.owner('pmo'))
  const two = await until('two', () => alertOf(org.root, 'missing-attachment', 'two.md'))
  t.match(two.head.get('fix'), /^cp THE-MISSING-FILE 'spool\/legal\/files\/a b\.pdf' && cp THE-MISSING-FILE spool\/legal\/files\/c\.pdf && penny release /)
  const deep = await until('deep', () => alertOf(org.root, 'missing-attachment', 'deep.md'))
  t.match(deep.head.get('fix'), /^cp THE-MISSING-FILE workspaces\/pmo\/home\/docs\/d\.pdf && /)
  org.drop('any.pdf', '%PDF')
  const pasted = await paste(org, two.head.get('fix')?.replaceAll('THE-MISSING-FILE', 'any.pdf'))
  t.equal(pasted.status, 0, pasted.err)
  await until('it', () => lettersOf(org.root, 'legal').find(({ head }) => head.get('subject') === 'two'))
  t.ok(existsSync(org.at('any.pdf')))
})
