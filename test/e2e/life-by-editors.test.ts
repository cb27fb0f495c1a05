import t from 'tap'
import { organisation, run } from './driver.ts'
import { alertsOf, filesIn, lettersOf, message, sentBy, until } from './files.ts'

const BODY = 'Größe: 5 €\n\n\t日本語 👩🏽‍⚖️\nstatus of the bank: open\n\nlast line\n'

/** $1 is the file in the mailbox, $2 the new status, $3 a line to add below it. Those that need the whole new text find it in text, beside them in home/. */
const EDITORS: Readonly<Record<string, string>> = {
  vim: 'vi -u NONE -es -c "/^status:/s/.*/status: $2\\r$3/" -c "wq" "$1" < /dev/null',
  'vim-in-place': 'vi -u NONE -es -c "set backup backupcopy=yes" -c "/^status:/s/.*/status: $2\\r$3/" -c "wq" "$1" < /dev/null',
  'vim-new-file': 'vi -u NONE -es -c "set writebackup backupcopy=no" -c "/^status:/s/.*/status: $2\\r$3/" -c "wq" "$1" < /dev/null',
  ex: 'printf "%s\\n" "/^status:/c" "status: $2" "$3" . wq | ex -s "$1"',
  sed: 'sed -i -e "s/^status: .*/status: $2/" -e "/^status: $2/a $3" "$1"',
  perl: 'S="$2" L="$3" perl -pi -e \'s/^status: .*/status: $ENV{S}\\n$ENV{L}/\' "$1"',
  python3: `/usr/bin/python3 -c '
import re, sys
with open(sys.argv[1], "r+", encoding="utf-8") as f:
    text = f.read()
    f.seek(0)
    f.write(re.sub("(?m)^status: .*", lambda _: "status: " + sys.argv[2] + "\\n" + sys.argv[3], text, count=1))
    f.truncate()
' "$1" "$2" "$3"`,
  shell: 'while IFS= read -r line; do printf "%s\\n" "$line"; done < text > "$1"',
  tee: 'tee "$1" < text > /dev/null',
  cp: 'cp text "$1"',
  mv: 'mv text "$1"',
  install: 'install -m 0640 text "$1"',
  rsync: 'rsync -q --checksum text "$1"',
  'rsync-inplace': 'rsync -q --checksum --inplace text "$1"',
}
const NEEDED: Readonly<Record<string, string>> = {
  vim: 'vi',
  'vim-in-place': 'vi',
  'vim-new-file': 'vi',
  ex: 'ex',
  perl: 'perl',
  rsync: 'rsync',
  'rsync-inplace': 'rsync',
}

t.test('status, progress and result written with each program that people edit files with, in new/ and in cur/, are taken as they are meant', async (t) => {
  const org = await organisation(t)
  await org.up()
  const editors: string[] = []
  for (const editor of Object.keys(EDITORS)) {
    const needed = NEEDED[editor]
    if (needed && (await run(['/bin/sh', '-c', `command -v ${needed}`])).status !== 0) t.pass(editor, { skip: `${needed} is not installed` })
    else editors.push(editor)
  }
  for (const editor of editors) org.drop(`workspaces/pmo/outbox/${editor}.md`, message({ to: 'legal', subject: editor }, BODY))
  await until('all of them', () => lettersOf(org.root, 'legal').length === editors.length)
  const letter = (editor: string) => lettersOf(org.root, 'legal').find(({ head }) => head.get('subject') === editor)

  const steps = [
    { from: 'new', to: 'cur', status: 'in_progress', key: 'progress' },
    { from: 'cur', to: 'done', status: 'done', key: 'result' },
  ]
  for (const { from, to, status, key } of steps) {
    for (const editor of editors) {
      const script = `cd home; sed -e "s/^status: .*/status: $2/" -e "/^status: $2/a $3" "$1" > text; ${EDITORS[editor]}`
      await org.as('legal', script, `../${from}/${letter(editor)?.file}`, status, `${key}: with ${editor}`)
    }
    for (const editor of editors) {
      const found = await until(`${editor} in ${to}`, () => {
        const one = letter(editor)
        return one?.folder === to && one.head.get('status') === status && one
      })
      t.equal(found.head.get(key), `with ${editor}`, `${editor}: ${key}`)
      t.equal(found.body.toString(), BODY, `${editor}: the body is as it was`)
      await until(`the mirror of ${editor}`, () =>
        sentBy(org.root, 'pmo').find(({ head }) => head.get('subject') === editor && head.get(key) === `with ${editor}`),
      )
    }
  }
  t.equal(lettersOf(org.root, 'legal').length, editors.length, 'each message is in one place')
  t.same(
    alertsOf(org.root).map(({ text }) => text),
    [],
    'nothing was taken for tampering',
  )
  t.same(
    ['new', 'cur'].flatMap((folder) => filesIn(org.at('workspaces/legal', folder)).filter((name) => !name.endsWith('~'))),
    [],
    'what editors leave is theirs, and no message',
  )
})
