import { spawnSync } from 'node:child_process'
import tap from 'tap'
import { AM_ROOT, type Ended, type Organisation, organisation, PENNY, REACHABLE, run } from '../e2e/driver.ts'

/** Debian's `users`; whoever is in it is an operator of this organisation. */
const GROUP = 'users'
const gid = spawnSync('getent', ['group', GROUP], { encoding: 'utf8' }).stdout.split(':')[2]
const usable = AM_ROOT && REACHABLE && gid !== undefined
const only = { skip: usable ? false : `needs uid 0, the group ${GROUP} and a built command that others may read` }

/** A uid without an entry in /etc/passwd. */
function by(org: Organisation, uid: number, group: string | undefined, args: readonly string[]): Promise<Ended> {
  const groups = group === undefined ? ['--clear-groups'] : ['--groups', group]
  return run(['setpriv', '--reuid', String(uid), '--regid', String(uid), ...groups, process.execPath, PENNY, ...args], {
    cwd: org.root,
    // The test runner's own preloads would write where this user may not.
    env: { NO_COLOR: '1', PENNY_ROOT: org.root, NODE_OPTIONS: '' },
  })
}

tap.test('an operator reads through the daemon what the folders keep from all others', only, async (t) => {
  const org = await organisation(t, { org: `operators: ${GROUP}\n`, people: { ann: 'user: "12345"\n' } })
  spawnSync('chgrp', ['-R', GROUP, org.at('policies')])
  spawnSync('chmod', ['-R', 'g+rX', org.at('policies')])
  await org.up()
  const ann = (...args: string[]): Promise<Ended> => by(org, 12345, gid, args)
  const sent = await ann('send', 'legal', '-s', 'One', '-m', 'hello there')
  t.equal(sent.status, 0, sent.err)
  const id = sent.out.trim()
  t.match((await ann('show', id.slice(-8))).out, /hello there/)
  t.match((await ann('thread', id)).out, /ann → legal \[open\] One/)
  t.match((await ann('log', id)).out, /delivered to legal/)
  t.match((await ann('report')).out, /legal has it open/)
  t.match((await ann('events', '--since', '1h')).out, /admitted from ann/)
  t.match((await ann('tasks', 'from:ann')).out, /One/)
  t.equal((await ann('reply', id, '-m', 'and one more thing')).status, 0)
  t.equal((await ann('settle', id, 'done', '-m', 'well', '--agent', 'legal')).status, 0)
  t.match((await ann('show', id)).out, /status +done[\s\S]*result +well/, 'a settled message too')
  t.match((await ann('tasks', 'status:done')).out, /One/)
  t.equal((await ann('set', id, 'status=open')).status, 0)
  t.equal((await ann('set', id, 'priority=high')).status, 0)
  const log = (await ann('log', id)).out
  t.match(log, /set by operator: priority high/)
  t.notMatch(log, /open → open/)
})

tap.test('a stranger is refused with 77 and a sentence, and sends without a crash', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  const stranger = (...args: string[]): Promise<Ended> => by(org, 12346, undefined, args)
  const id = (await org.penny(['send', 'legal', '-m', 'x'])).out.trim()
  for (const args of [['tasks'], ['tasks', 'status:done'], ['show', id], ['thread', id], ['log', id], ['report'], ['events'], ['agents']]) {
    const { status, err } = await stranger(...args)
    t.equal(status, 77, args.join(' '))
    t.match(err, /\n +fix: sudo \S*penny\S* /, args.join(' '))
  }
  t.equal((await stranger('send', 'legal', '-m', 'x')).status, 0)
})

tap.test('what a sender is told of its drop: held is 65, sent again is the same message, other content under the same ref is held', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  const first = await org.penny(['send', 'legal', '-m', 'x', '--ref', 'mine'])
  t.equal(first.status, 0, first.err)
  const again = await org.penny(['send', 'legal', '-m', 'x', '--ref', 'mine'])
  t.equal(again.out, first.out)
  const other = await org.penny(['send', 'legal', '-m', 'y', '--ref', 'mine'], { cwd: '/' })
  t.equal(other.status, 65)
  t.match(other.err, /held: ref-reused\n +why: .*"mine"[^\n]*\n +fix: cd .* && \$\{EDITOR:-vi\} spool\/held\//)
})
