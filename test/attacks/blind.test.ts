/** The checker itself: it sees each of the things that a daemon can do wrong, at a daemon that does them, and sees nothing where nothing is wrong. */
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { attackWith, type Result } from './suite/attack.ts'
import { NAIVE } from './suite/naive.ts'
import { pointed } from './suite/target.ts'
import { TABLE } from './table/index.ts'

t.setTimeout(120_000)

/** The naive daemon against these rows of the table. */
async function attacked(t: Test, rows: readonly string[]): Promise<(row: string) => string> {
  const base = mkdtempSync(join(tmpdir(), 'penny-naive-'))
  chmodSync(base, 0o755)
  t.teardown(() => rmSync(base, { recursive: true, force: true }))
  const at = (name: string): string => join(base, 'org', name)
  for (const name of ['spool', 'boxes/legal/new', 'alerts']) mkdirSync(at(name), { recursive: true })
  chmodSync(at('spool'), 0o1777)
  writeFileSync(join(base, 'naive.cjs'), NAIVE)
  const daemon = spawn(process.execPath, [join(base, 'naive.cjs'), at('spool'), at('boxes/legal/new')], { stdio: 'ignore' })
  t.teardown(() => daemon.kill('SIGKILL'))
  const env = {
    PENNY_ATTACK_SPOOL: at('spool'),
    PENNY_ATTACK_INBOX: at('boxes/legal/new'),
    PENNY_ATTACK_ALERTS: at('alerts'),
    PENNY_ATTACK_PID: String(daemon.pid),
    PENNY_ATTACK_AS: process.getuid?.() === 0 ? '65534' : String(process.getuid?.()),
  }
  const cases = Object.values(TABLE)
    .flat()
    .filter(({ what }) => rows.includes(what))
  t.equal(cases.length, rows.length, 'the rows are in the table')
  const { results } = await attackWith({ some: cases }, pointed(t, env))
  return (row) => faultsOf(results, row)
}

function faultsOf(results: readonly Result[], row: string): string {
  const found = results.filter(({ what }) => what.includes(row))
  if (found.length === 0) throw new Error(`nothing was said of ${row}`)
  return found.flatMap(({ faults }) => faults).join('\n')
}

t.test('a secret that was read, a file that was changed and what nobody was told of are seen; a good message is no fault', async (t) => {
  const said = await attacked(t, ['a link to a secret', "a hard link to another's file", 'front matter that begins with "---js"', 'a file of 1970'])
  for (const row of ['a link to a secret', 'a hard link']) {
    t.match(said(row), /its secret was read: it stands in .*boxes/, row)
    t.match(said(row), /secret\.md changed from|linked\.md changed from/, row)
    t.match(said(row), /it was delivered/, row)
    t.match(said(row), /an alert that names it was not within 2000 ms/, row)
  }
  t.match(said('---js'), /an alert that names it was not within/)
  t.equal(said('a file of 1970'), '')
  t.equal(said('the daemon is alive'), '')
  t.equal(said('SIGTERM'), '')
})

t.test('a daemon that hangs is seen: good mail is late, and SIGTERM does not end it', async (t) => {
  const said = await attacked(t, ['a pipe that nobody writes'])
  t.match(said('good mail with all of it in place'), /good mail of another was not within 2000 ms/)
  t.equal(said('the daemon is alive'), '')
  t.match(said('SIGTERM'), /SIGTERM did not end it within 2000 ms/)
})

t.test('a daemon that ends is seen', async (t) => {
  const said = await attacked(t, ['a link to nothing'])
  t.match(said('the daemon is alive'), /the daemon is gone/)
})
