import { mkdirSync, rmSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, heldFiles, lettersOf, until } from './files.ts'

t.test('what is dropped into a box of nobody is held with the nearest name; the box of a removed agent does the same', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  mkdirSync(org.at('spool/lagel'))
  org.drop('spool/lagel/one.md', 'please look\n')
  const alert = await until('unknown-recipient', () => alertOf(org.root, 'unknown-recipient', 'one.md'))
  t.match(alert.text, /legal/, 'the nearest name')
  const held = await until('held', () => heldFiles(org.root)[0])
  t.equal(held.code, 'unknown-recipient')
  t.equal(held.raw.toString(), 'please look\n')

  rmSync(org.at('policies/agents/pmo.md'))
  await org.end()
  await org.up()
  org.drop('spool/pmo/two.md', 'please look\n')
  await until('unknown-recipient', () => alertOf(org.root, 'unknown-recipient', 'two.md'))
  t.same(
    lettersOf(org.root, 'pmo').map((letter) => letter.file),
    [],
  )
})
