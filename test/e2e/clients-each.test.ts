import { writeFileSync } from 'node:fs'
import t from 'tap'
import { accounting, isTrue, organisation, run } from './driver.ts'
import { alertsOf, lettersOf, until } from './files.ts'

/** A body that a careless rewrite would change: CRLF, tabs, trailing blanks, rules, several scripts, no final newline. */
const BODY = 'Größe: 5 €\r\n\r\n\t日本語 👩🏽‍⚖️ e\u0301  \n---\nfrom: nobody\n---\n\n\nlast line without an end'

/** $1 is the finished text, $2 the path in the drop folder. */
const CLIENTS: Readonly<Record<string, string>> = {
  cp: 'cp "$1" "$2"',
  'cp-p': 'cp -p "$1" "$2"',
  mv: 'cp "$1" "$1.$$"; mv "$1.$$" "$2"',
  append: 'cat "$1" >> "$2"',
  tee: 'tee "$2" < "$1" > /dev/null',
  'tee-a': 'tee -a "$2" < "$1" > /dev/null',
  // binary: or vim would add the final newline itself, which is vim's right and not the daemon's
  vim: 'vi -u NONE -es -c "set binary noswapfile" -c "edit $1" -c "write $2" -c "qall!" < /dev/null',
  'vim-backup': 'vi -u NONE -es -c "set binary nofixeol backup writebackup backupcopy=no" -c "edit $1" -c "saveas! $2" -c "write!" -c "qall!" < /dev/null',
  rsync: 'rsync -q "$1" "$2"',
  'rsync-inplace': 'rsync -q --inplace "$1" "$2"',
  install: 'install -m 0644 "$1" "$2"',
  dd: 'dd if="$1" of="$2" bs=7 status=none',
  python3: '/usr/bin/python3 -c "import sys; open(sys.argv[2], \'wb\').write(open(sys.argv[1], \'rb\').read())" "$1" "$2"',
  heredoc: 'exec 3>"$2"; while IFS= read -r line; do printf "%s\\n" "$line" >&3; done < "$1"; printf "%s" "$line" >&3; exec 3>&-',
}
const NEEDED: Readonly<Record<string, string>> = { vim: 'vi', 'vim-backup': 'vi', rsync: 'rsync', 'rsync-inplace': 'rsync', python3: '/usr/bin/python3' }

t.test('each program that people write files with delivers one message, its body unchanged, from all three kinds of drop folder', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '' } })
  await org.up()
  let sent = 0
  for (const [client, script] of Object.entries(CLIENTS)) {
    const needed = NEEDED[client]
    if (needed && (await run(['/bin/sh', '-c', `command -v ${needed}`])).status !== 0) {
      t.pass(client, { skip: `${needed} is not installed` })
      continue
    }
    for (const place of ['spool', 'box', 'outbox'] as const) {
      const token = `${client}-${place}`
      const head = place === 'box' ? `subject: ${token}` : `to: legal\nsubject: ${token}`
      const source = `${org.base}/${token}.txt`
      writeFileSync(source, `---\n${head}\n---\n${BODY}`)
      const target =
        place === 'spool'
          ? org.at('spool', `${token}.md`)
          : place === 'box'
            ? org.at('spool/legal', `${token}.md`)
            : org.at('workspaces/pmo/outbox', `${token}.md`)
      if (place === 'outbox') {
        await org.as('pmo', 'cat > "home/$1"', token)
        await run(['/bin/sh', '-c', 'cat "$1" > "$2"', 'sh', source, org.at('workspaces/pmo/home', token)])
        await org.as('pmo', script, org.at('workspaces/pmo/home', token), target)
      } else {
        const done = await run(['/bin/sh', '-c', `set -e; ${script}`, 'sh', source, target])
        t.equal(done.status, 0, `${token} could be written: ${done.err}`)
      }
      sent++
    }
  }
  await until(`${sent} messages`, () => lettersOf(org.root, 'legal').length >= sent)
  const letters = lettersOf(org.root, 'legal')
  t.equal(letters.length, sent, 'no message came twice')
  t.equal(new Set(letters.map((letter) => letter.head.get('subject'))).size, sent, 'each of them came')
  for (const letter of letters) {
    const subject = letter.head.get('subject') ?? ''
    // the shell's read drops nothing but may not keep what follows a NUL; BODY has none
    t.equal(letter.body.toString('utf8'), BODY, `${subject}: the body is what was written`)
    t.equal(letter.head.get('from'), subject.endsWith('-outbox') ? 'pmo' : 'operator', `${subject}: from`)
    t.equal(letter.folder, 'new')
  }
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
    'nothing was flagged',
  )
  const line = await accounting(org)
  t.ok(isTrue(line) && line.admitted === sent && line.copies === sent, `the accounting line is true: ${JSON.stringify(line)}`)
})
