import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, lettersOf, message, until } from './files.ts'

const WITHIN_MS = 2_500

t.test('a spool that was removed, or renamed, is there again within a sweep, told, and takes mail as before', async (t) => {
  const org = await organisation(t)
  await org.up()
  const took = async (subject: string): Promise<void> => {
    org.drop(`spool/${subject}.md`, message({ to: 'pmo', subject }))
    org.drop(`spool/legal/${subject}.md`, message({ subject }))
    for (const name of ['pmo', 'legal'])
      await until(`${subject} at ${name}`, () => lettersOf(org.root, name).find((one) => one.head.get('subject') === subject), WITHIN_MS)
  }
  await took('before')
  org.drop('spool/legal/odd-P1.txt', 'told of')
  await until('an alert', () => alertOf(org.root, 'unmatched-file', 'odd-P1.txt'))
  const { mode } = statSync(org.at('spool'))
  for (const [how, remove] of [
    ['removed', () => rmSync(org.at('spool'), { recursive: true })],
    ['renamed', () => renameSync(org.at('spool'), org.at('spool.old'))],
    [
      'exchanged',
      () => {
        renameSync(org.at('spool'), org.at('spool.old2'))
        mkdirSync(org.at('spool'))
      },
    ],
  ] as const) {
    remove()
    const alert = await until(`told: ${how}`, () => alertOf(org.root, 'unreadable-file', 'about: spool\n'), WITHIN_MS)
    t.match(alert.text, how === 'exchanged' ? /The folder spool had (owner|mode)/ : /The folder spool was removed or renamed; it was made again/)
    t.equal(statSync(org.at('spool')).mode, mode)
    await until('every folder in it', () => ['files', 'held', 'alerts/done', 'legal/files'].every((name) => existsSync(org.at('spool', name))), WITHIN_MS)
    t.notOk(alertOf(org.root, 'unreadable-file', 'about: spool/legal'), 'what was in it is not told one by one')
    // The second of each finds a watch: nobody has to wait for a sweep.
    await took(how)
    const before = performance.now()
    await took(`${how}-again`)
    t.ok(performance.now() - before < WITHIN_MS)
  }
})
