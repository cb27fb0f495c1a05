import { createHash } from 'node:crypto'
import t from 'tap'
import { accounting, isTrue, organisation, run } from './driver.ts'
import { alertsOf, lettersOf, until } from './files.ts'

const EACH = 12

t.test('thirty writers at once, into spool, boxes and outboxes: each message once, the bytes of its body unchanged', async (t) => {
  const names = Array.from({ length: 10 }, (_, i) => `agent-${i}`)
  const org = await organisation(t, { agents: Object.fromEntries(names.map((name) => [name, ''])) })
  await org.up()
  // A body of its own for each, from a few bytes to some 20 KB; its hash stands in the subject.
  const script = `i=0; while [ $i -lt ${EACH} ]; do
    body=$4-$3-$i-$(head -c $((i * i * 140)) /dev/urandom | base64 -w 60)
    sum=$(printf '%s' "$body" | sha256sum | cut -c1-64)
    case $3 in
      cat) printf -- '---\\nto: %s\\nsubject: %s\\n---\\n%s' "$2" "$sum" "$body" > "$1/w$3-$4-$i.md";;
      mv) printf -- '---\\nto: %s\\nsubject: %s\\n---\\n%s' "$2" "$sum" "$body" > "$1/.w$3-$4-$i"; mv "$1/.w$3-$4-$i" "$1/w$3-$4-$i.md";;
      lines) { printf -- '---\\nto: %s\\n' "$2"; printf 'subject: %s\\n---\\n' "$sum"; printf '%s' "$body"; } > "$1/w$3-$4-$i.md";;
    esac
    i=$((i + 1)); done`
  const writers = names.flatMap((name, n) => {
    const to = names[(n + 1) % names.length] ?? ''
    const how = ['cat', 'mv', 'lines'][n % 3] ?? ''
    const argv = (folder: string, tag: string): string[] => ['/bin/sh', '-c', script, 'sh', org.at(folder), to, how, `${tag}-${name}`]
    const outbox = `workspaces/${name}/outbox`
    return [run(argv('spool', 'spool')), run(argv(`spool/${to}`, 'box')), run(argv(outbox, 'outbox'), { as: org.owner(name) })]
  })
  for (const ended of await Promise.all(writers)) t.equal(ended.status, 0, ended.err || 'a writer is done')
  const all = writers.length * EACH
  const letters = await until(
    `${all} messages`,
    () => {
      const found = names.flatMap((name) => lettersOf(org.root, name))
      return found.length >= all && found
    },
    60_000,
  )
  t.equal(letters.length, all, 'none twice')
  t.equal(new Set(letters.map((letter) => letter.id)).size, all, 'each has an id of its own')
  t.equal(new Set(letters.map((letter) => letter.head.get('subject'))).size, all, 'each came')
  const changed = letters.filter((letter) => createHash('sha256').update(letter.body).digest('hex') !== letter.head.get('subject'))
  t.same(
    changed.map((letter) => letter.file),
    [],
    'no body changed',
  )
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'nothing was flagged',
  )
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === all && line.copies === all, JSON.stringify(line))
})
