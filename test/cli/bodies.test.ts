import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { organisation, penny, write } from './called.ts'

const dropsIn = (root: string): string[] => readdirSync(`${root}/spool`).filter((name) => name.endsWith('.md'))

/** An organisation, and the command of an editor with an option of its own; what it was given is kept in `seen`. */
function writing(t: Test, script: string) {
  const root = organisation(t)
  write(`${root}/editor.sh`, `test "$1" = --wait && test -f "$2" || exit 9\necho "$2" > '${root}/seen'\n${script}\n`)
  return { root, editor: `sh '${root}/editor.sh' --wait`, seen: () => readFileSync(`${root}/seen`, 'utf8').trim() }
}

t.test('on a terminal the body is what the editor leaves, byte for byte, and no copy of it stays behind', async (t) => {
  const { root, editor, seen } = writing(t, 'printf "By hand,\\r\\nno last line end" > "$2"')
  const { status } = await penny(['send', 'legal', '-s', 'Hello', '--root', root], { terminal: true, env: { VISUAL: editor, EDITOR: 'false' } })
  t.equal(status, 0, 'VISUAL comes before EDITOR')
  const [name] = dropsIn(root)
  t.match(readFileSync(`${root}/spool/${name}`, 'utf8'), /\n---\nBy hand,\r\nno last line end$/)
  t.ok(seen().endsWith('.md'), 'so that an editor knows what it is')
  t.notOk(existsSync(dirname(seen())))
  const again = await penny(['send', 'legal', '-m', 'no editor', '--root', root], { terminal: true, env: { EDITOR: 'false' } })
  t.equal(again.status, 0, 'with -m it is not asked')
})

t.test('an editor that ends badly, or leaves nothing, sends nothing', async (t) => {
  const left = writing(t, 'echo half > "$2"; exit 3')
  const { status, err } = await penny(['send', 'legal', '--root', left.root], { terminal: true, env: { EDITOR: left.editor } })
  t.equal(status, 1)
  t.match(err, /nothing was sent[\s\S]*status 3[\s\S]*fix: penny send/)
  t.notOk(existsSync(dirname(left.seen())))
  t.equal((await penny(['send', 'legal', '--root', left.root], { terminal: true, env: { EDITOR: 'true' } })).status, 65)
  t.match((await penny(['send', 'legal', '--root', left.root], { terminal: true, env: { EDITOR: 'kill $$;' } })).err, /status none/)
  t.same(dropsIn(left.root), [])
})

t.test('on a terminal without an editor it says how to give a body', async (t) => {
  const root = organisation(t)
  const { status, err } = await penny(['send', 'legal', '--root', root], { terminal: true, env: { EDITOR: '' } })
  t.equal(status, 64)
  t.match(err, /neither VISUAL nor EDITOR is set[\s\S]*fix: echo 'the text' \| penny send/)
  t.same(dropsIn(root), [])
})
