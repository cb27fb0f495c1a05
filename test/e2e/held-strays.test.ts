import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, alertsOf, exists, heldFiles, lettersOf, message, until } from './files.ts'

t.test('a file that is no message is flagged after 10 s and stays; an attachment that does not come holds its message after 10 s', async (t) => {
  const org = await organisation(t)
  await org.up()
  const stray = org.drop('spool/legal/report.pdf', '%PDF-1.4')
  const alone = org.drop('spool/legal/alone.md', message({ subject: 'alone', attach: '[gone.pdf]' }))
  const late = org.drop('spool/legal/late.md', message({ subject: 'late', attach: '[late.pdf]' }))
  setTimeout(() => org.drop('spool/legal/files/late.pdf', 'here it is'), 3000)
  await until('the message whose attachment came after 3 s', () => lettersOf(org.root, 'legal').find((letter) => letter.head.get('subject') === 'late'))
  t.ok(performance.now() - late.at >= 2900, 'not before its attachment')
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'nobody was alarmed in between',
  )
  await until('unmatched-file', () => alertOf(org.root, 'unmatched-file', 'report.pdf'))
  // 10 s, + 2 s of promise 1, + 1 s for a loaded machine; half a second less for clocks of coarse grain
  const strayMs = performance.now() - stray.at
  t.ok(strayMs > 9500 && strayMs < 13_000, `flagged after 10 s: ${Math.round(strayMs)} ms`)
  t.ok(exists(stray.path), 'it stays where it is')
  await until('missing-attachment', () => alertOf(org.root, 'missing-attachment', 'alone.md'))
  const aloneMs = performance.now() - alone.at
  t.ok(aloneMs > 9500 && aloneMs < 14_000, `held after 10 s: ${Math.round(aloneMs)} ms`)
  const held = await until('the held message', () => heldFiles(org.root).find((one) => one.code === 'missing-attachment'))
  org.drop('spool/legal/files/gone.pdf', 'now it is here')
  const released = await org.penny(['release', held.path])
  t.equal(released.status, 0, released.err)
  await until('the message once it is complete', () => lettersOf(org.root, 'legal').find((letter) => letter.head.get('subject') === 'alone'))
})
