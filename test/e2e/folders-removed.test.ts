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

t.test('what is done to any folder of any of forty agents is told and mended within a sweep or two, and watched again afterwards', async (t) => {
  const names = Array.from({ length: 40 }, (_, i) => `clerk-${i + 1}`)
  const org = await organisation(t, { agents: Object.fromEntries(names.map((name) => [name, ''])) })
  await org.up()
  const own = ['new', 'cur', 'done', 'outbox', 'outbox/files', 'home']
  const given = org.owner('clerk-1') === undefined ? ['sent', 'attachments', 'runs'] : []
  const tell = async (folders: readonly string[], from: number, script: string, found: RegExp): Promise<void> => {
    const places = folders.map((folder, i) => ({ holder: `clerk-${from + i}`, folder, at: `workspaces/clerk-${from + i}/${folder}` }))
    const before = places.map(({ at }) => statSync(org.at(at)).mode)
    await Promise.all(places.map(({ holder, folder }) => org.as(holder, script, folder)))
    const told = places.map(({ at }) => until(`told of ${at}`, () => alertOf(org.root, 'unreadable-file', `about: ${at}\n`), WITHIN_MS))
    for (const { text } of await Promise.all(told)) t.match(text, found)
    t.same(
      places.map(({ at }) => statSync(org.at(at)).mode),
      before,
    )
  }
  await tell([...own, ...given], 1, 'chmod 000 "$1"', /had mode (2000|0) /)
  await tell([...own, ...given], 11, 'chmod 777 "$1"', /had mode 2?777 /)
  // In system mode the workspace is root's; only what lies in its outbox can be renamed by the agent.
  const movable = given.length > 0 ? [...own, ...given] : ['outbox/files']
  await tell(movable, 21, 'mv "$1" "$1.away"', /was removed or renamed/)
  await tell(movable.filter((folder) => folder !== 'outbox/files').concat('home'), 31, 'chmod 711 "$1"', /had mode 2?711 /)
})
