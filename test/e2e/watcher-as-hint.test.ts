import { chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertOf, exists, heldFiles, lettersOf, message, until } from './files.ts'

/** What the kernel holds for one reader; what comes on top of it is lost, with every report after it. */
const QUEUE = Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'))

/** A sweep a second; 1 s to do what it found, + 1 s for a loaded machine. Milliseconds. */
const ONE_SWEEP_MS = 3000

t.test('a queue of reports that overflowed, and watched folders that were swapped, cost one sweep and no mail', async (t) => {
  const org = await organisation(t)
  await org.up()
  const found = (holder: string, subject: string, folder: string) =>
    lettersOf(org.root, holder).find((one) => one.folder === folder && one.head.get('subject') === subject)
  org.drop('spool/legal/claimed.md', message({ subject: 'claimed meanwhile' }))
  org.drop('spool/legal/edited.md', message({ subject: 'edited meanwhile' }))
  await until('both', () => lettersOf(org.root, 'legal').length === 2)

  process.kill(org.pid(), 'SIGSTOP')
  // Two reports each that cannot be merged into one; a hidden name, which is nobody's drop.
  writeFileSync(org.at('spool/.a'), '')
  for (let i = 0; i <= QUEUE / 2; i++) renameSync(org.at('spool', i % 2 ? '.b' : '.a'), org.at('spool', i % 2 ? '.a' : '.b'))
  for (const name of ['.a', '.b']) rmSync(org.at('spool', name), { force: true })
  org.drop('spool/root.md', message({ to: 'legal', subject: 'in the root of the spool' }))
  org.drop('spool/legal/box.md', message({ subject: 'in a box' }))
  org.drop('workspaces/pmo/outbox/out.md', message({ to: 'legal', subject: 'in an outbox' }))
  await org.as('legal', 'mv "new/$1" cur/; sed -i "s/^status: .*/status: done/" "new/$2"', ...fileNames(org.root))
  process.kill(org.pid(), 'SIGCONT')
  const went = performance.now()
  await until('the new ones', () => ['in the root of the spool', 'in a box', 'in an outbox'].every((subject) => found('legal', subject, 'new')))
  await until('the claim', () => found('legal', 'claimed meanwhile', 'cur')?.head.get('status') === 'in_progress')
  await until('the edit', () => found('legal', 'edited meanwhile', 'done'))
  t.ok(performance.now() - went < ONE_SWEEP_MS, `all within ${Math.round(performance.now() - went)} ms`)

  // The watch of each of these is on a folder that is somewhere else now.
  const owner = org.owner('legal')
  for (const folder of ['spool/pmo', 'spool/alerts', 'spool/held', 'spool/files', 'workspaces/legal/outbox', 'workspaces/legal/new'])
    renameSync(org.at(folder), join(org.base, folder.replaceAll('/', '-')))
  for (const folder of ['spool/pmo', 'workspaces/legal/outbox']) mkdirSync(org.at(folder))
  if (owner) chownSync(org.at('workspaces/legal/outbox'), owner.uid, owner.gid)
  const swapped = performance.now()
  org.drop('spool/pmo/box.md', message({ subject: 'in the new box' }))
  org.drop('workspaces/legal/outbox/out.md', message({ to: 'pmo', subject: 'in the new outbox' }), owner)
  org.drop('spool/legal/new.md', message({ subject: 'for the new new/' }))
  org.drop('spool/typo.md', message({ to: 'pom', subject: 'nobody' }))
  await until('those of the box and the outbox', () => found('pmo', 'in the new box', 'new') && found('pmo', 'in the new outbox', 'new'))
  await until('what was for new/', () => found('legal', 'for the new new/', 'new'))
  await until('what nobody can get is held, and told', () => heldFiles(org.root).length === 1 && alertOf(org.root, 'unknown-recipient'))
  t.ok(performance.now() - swapped < ONE_SWEEP_MS, `all within ${Math.round(performance.now() - swapped)} ms`)
  t.ok(statSync(org.at('spool/files'), { throwIfNoEntry: false })?.isDirectory(), 'attachments have their folder again')
  await until('what lay in the old new/ is put back', () => found('legal', 'in a box', 'new'))
  const line = await accounting(org)
  t.ok(isTrue(line) && line.copies === 8 && line.held === 1, JSON.stringify(line))

  // As somebody does who tidies up.
  renameSync(org.at('spool'), join(org.base, 'old-spool'))
  await until('the spool, with its boxes and alerts', () => ['legal/files', 'all', 'held', 'alerts/done'].every((folder) => exists(org.at('spool', folder))))
  org.drop('spool/legal/after.md', message({ subject: 'after all that' }))
  await until('mail goes on', () => found('legal', 'after all that', 'new'))

  function fileNames(root: string): string[] {
    return ['claimed meanwhile', 'edited meanwhile'].map((subject) => lettersOf(root, 'legal').find(({ head }) => head.get('subject') === subject)?.file ?? '')
  }
})
