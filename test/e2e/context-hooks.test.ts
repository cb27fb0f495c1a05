/** What an agent meets at the context cliff, seen from inside its jail: hooks that hold a compaction back, and what its next run is given. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Organisation, organisation, type Shape } from './driver.ts'
import { type Letter, lettersOf, message, until } from './files.ts'

const HOOKS = `#!/bin/sh
say() { echo "{\\"session_id\\":\\"$1\\",\\"trigger\\":\\"auto\\",\\"source\\":\\"compact\\"}"; }
compact() { say "$1" | timeout 20 penny hook precompact 2>said; echo "$2=$?"; }
tool() { say "$1" | penny hook posttooluse | grep -c additionalContext; }
echo "quiet=$(tool s1)"
compact s1 first
grep -q 'checkpoint.md, anew' said && grep -q "$PENNY_MESSAGE" said && echo sentence=clear
echo "told=$(tool s1) again=$(tool s1)"
: > checkpoint.md; compact s1 empty
rm checkpoint.md; mkfifo checkpoint.md; compact s1 fifo; rm checkpoint.md
ln -s /etc/passwd checkpoint.md; compact s1 link; rm checkpoint.md
echo "sections 1-7 are done" > checkpoint.md; compact s1 written
echo "calm=$(tool s1)"
rm checkpoint.md
for n in 1 2 3 4 5 6; do compact s2 try$n; done
compact full full
(printf x > /ws/runs/full.context.json) 2>/dev/null && echo forged
rm -f .checkpoint-asked.json; mkdir .checkpoint-asked.json; compact s3 unwritable
grep -q 'fix:' said && echo fix=there
rmdir .checkpoint-asked.json
echo 'not json' | penny hook precompact 2>/dev/null; echo "odd=$?"
echo "sections 1-8 are done" > checkpoint.md
sed -i 's/^status: in_progress$/status: in_progress\\nprogress: "section 8 of 12"/' "$PENNY_MESSAGE"
say s1 | penny hook sessionstart > start; grep -q 'section 8 of 12' start && grep -q 'sections 1-8 are done' start && echo start=whole
penny hook settings | grep -c '"command": "penny hook '
`
/** The first message of an agent is begun twice; the second comes between. */
const TWICE = `#!/bin/sh
if ! grep -q '^subject: first' "$PENNY_MESSAGE"; then echo "about the second" > checkpoint.md; touch second; exit 0; fi
if [ ! -e first ]; then echo "decided in the first: keep clause 4" > checkpoint.md; touch first; exit 75; fi
[ -e second ] || exit 75
echo "checkpoint=$PENNY_CHECKPOINT says $(cat "$PENNY_CHECKPOINT")"
echo "sealed=$PENNY_SEALED says $(cat "$PENNY_SEALED")"
rm -f "$PENNY_CHECKPOINT" 2>/dev/null || echo erased=no
echo '{"source":"startup"}' | penny hook sessionstart | grep -c 'keep clause 4'
`
const shape: Shape = {
  org: 'wake: { concurrency: 16, stagger: 0s }\n',
  agents: {
    legal: 'runner: { command: [./hooks.sh], max_attempts: 1 }\n',
    pmo: 'runner: { command: [./twice.sh], max_attempts: 2, concurrency: 1 }\n',
  },
  policies: { 'runners/hooks.sh': HOOKS, 'runners/twice.sh': TWICE },
}
const letters = (org: Organisation, agent: string): Letter[] => lettersOf(org.root, agent).filter((one) => one.head.get('kind') !== 'note')
const logOf = (org: Organisation, agent: string, id = ''): string => readFileSync(org.at('workspaces', agent, 'runs', `${id}.log`), 'utf8')
const printed = (log: string): string[] => log.split('\n').filter((line) => line !== '' && !line.startsWith('--- '))

t.test('hooks hold a compaction back until the checkpoint is there, and no longer than that is of use', async (t) => {
  const org = await organisation(t, shape)
  await org.up()
  const runs = org.at('workspaces', 'legal', 'runs')
  await until('its folders', () => statSync(runs, { throwIfNoEntry: false }))
  const order = { session: 'full', ordered: new Date().toISOString(), usedTokens: 930, windowTokens: 1_000, passed: 92 }
  writeFileSync(`${runs}/full.context.json`, JSON.stringify(order), { mode: 0o644 })
  org.drop('spool/legal/review.md', message({ to: 'legal', subject: 'review' }))
  const done = await until('it has settled', () => letters(org, 'legal').find((one) => ['done', 'failed'].includes(one.head.get('status') ?? '')))
  t.same(printed(logOf(org, 'legal', done.head.get('id'))), [
    'quiet=0',
    'first=2',
    'sentence=clear',
    'told=1 again=0',
    ...['empty=2', 'fifo=2', 'link=2', 'written=0'],
    'calm=0',
    ...['try1=2', 'try2=2', 'try3=2', 'try4=2', 'try5=2', 'try6=0'],
    'full=0',
    'unwritable=0',
    'fix=there',
    'odd=2',
    'start=whole',
    '3',
  ])
  t.match((await org.penny(['hook', 'nonsense'])).status, 64)
})

t.test('the next run of a message is given the checkpoint of that message, however often another one overwrote it', async (t) => {
  const org = await organisation(t, shape)
  await org.up()
  org.drop('spool/pmo/first.md', message({ to: 'pmo', subject: 'first' }))
  const first = await until('the first was begun', () => letters(org, 'pmo').find((one) => one.head.get('subject') === 'first'))
  const id = first.head.get('id') ?? ''
  const runs = org.at('workspaces', 'pmo', 'runs')
  await until('its checkpoint is kept', () => readdirSync(runs).includes(`${id}.checkpoint.md`))
  // As the gateway's process would have left it; a crash came before the daemon was told.
  await org.end()
  const sealed = org.at('.penny', 'checkpoints', 'pmo')
  mkdirSync(sealed, { recursive: true })
  writeFileSync(`${sealed}/20300107T090000000Z-${id}.json`, '{"messages":[]}')
  await org.up()
  org.drop('spool/pmo/second.md', message({ to: 'pmo', subject: 'second', priority: 'urgent' }))
  await until('both have settled', () => letters(org, 'pmo').filter((one) => one.head.get('status') === 'done').length === 2)
  t.same(printed(logOf(org, 'pmo', id)), [
    `checkpoint=/ws/runs/${id}.checkpoint.md says decided in the first: keep clause 4`,
    `sealed=/ws/runs/${id}.sealed.json says {"messages":[]}`,
    'erased=no',
    '1',
  ])
  t.same(
    readdirSync(runs)
      .filter((name) => name.includes('checkpoint'))
      .map((name) => readFileSync(`${runs}/${name}`, 'utf8'))
      .sort(),
    ['about the second\n', 'about the second\n', 'decided in the first: keep clause 4\n', 'decided in the first: keep clause 4\n'],
  )
})
