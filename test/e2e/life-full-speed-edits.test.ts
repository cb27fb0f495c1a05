import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, lettersOf, message, until } from './files.ts'

const ROUNDS = 300

t.test('300 rounds of mv new → cur, sed -i of progress, and sed -i of status and result at full speed lose no edit', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (let i = 0; i < ROUNDS; i++) org.drop(`spool/legal/task-${i}.md`, message({ subject: `task ${i}` }, `body ${i}`))
  await until('all tasks', () => lettersOf(org.root, 'legal').length === ROUNDS, 60_000)
  // As an agent works: claim, and write down at once what it is about to do. The daemon rewrites the file (status: in_progress) in the same
  // moment, so the file may be away for the blink in which it is exchanged: sed then says so, and the holder tries again.
  const missed = await org.as(
    'legal',
    `missed=0
    for path in new/*.md; do
      file=\${path#new/}
      mv "$path" cur/
      n=0
      until sed -i "/^status:/a progress: worked on $file" "cur/$file" 2>/dev/null; do n=$((n + 1)); missed=$((missed + 1)); [ $n -lt 200 ] || exit 9; done
    done
    echo $missed`,
  )
  t.comment(`sed found no file ${missed.trim()} times`)
  const wrong = (): string[] => {
    const letters = lettersOf(org.root, 'legal')
    const good = letters.filter(
      (one) => one.folder === 'cur' && one.head.get('status') === 'in_progress' && one.head.get('progress') === `worked on ${one.file}`,
    )
    return letters.length === ROUNDS && good.length === ROUNDS
      ? []
      : letters
          .filter((one) => !good.includes(one))
          .map((one) => `${one.folder}/${one.file} ${one.head.get('status')} ${one.head.get('progress')}`)
          .concat(`${letters.length} letters, ${good.length} good`)
  }
  await until('every edit', () => wrong().length === 0, 20_000).catch(() => undefined)
  t.same(wrong(), [], '300 of 300 edits are there, each message in one place')
  // The other way: a status written into each, as fast as sed can.
  await org.as(
    'legal',
    `for path in cur/*.md; do
      file=\${path#cur/}
      n=0
      until sed -i -e "s/^status: .*/status: done/" -e "/^status:/a result: finished $file" "$path" 2>/dev/null; do n=$((n + 1)); [ $n -lt 200 ] || exit 9; done
    done`,
  )
  const unsettled = (): string[] =>
    lettersOf(org.root, 'legal')
      .filter((one) => one.folder !== 'done' || one.head.get('status') !== 'done' || one.head.get('result') !== `finished ${one.file}`)
      .map((one) => `${one.folder}/${one.file} ${one.head.get('status')} ${one.head.get('result')}`)
  await until('each is settled', () => unsettled().length === 0, 20_000).catch(() => undefined)
  t.same(unsettled(), [], '300 of 300 are done, each with its result')
  const letters = lettersOf(org.root, 'legal')
  t.same(
    letters.filter((one) => one.head.get('progress') !== `worked on ${one.file}`).map((one) => one.file),
    [],
    'what was written before is still there',
  )
  t.equal(new Set(letters.map((one) => one.id)).size, ROUNDS)
  t.same(
    letters.filter((one) => !/^body \d+$/.test(one.body.toString())).map((one) => one.file),
    [],
    'no body changed',
  )
  t.same(
    alertsOf(org.root).map((alert) => `${alert.file}: ${alert.body.toString()}`),
    [],
    'nothing was taken for tampering',
  )
})
