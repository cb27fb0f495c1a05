import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, organisation, REACHABLE, type Shape } from './driver.ts'
import { exists, type Letter, lettersOf, message, until } from './files.ts'

/** Asks twice and waits for the answer to the second; what comes of it is read in later runs. */
const ASK = `#!/bin/sh
exec >> report 2>&1
if [ -n "$PENNY_REPLIES" ]; then
  echo "$PENNY_REPLIES" | while read -r one; do echo "replies: $(dirname "$one") $(tail -n 1 "$one")"; done
elif [ -n "$PENNY_IN_REPLY_TO" ]; then
  echo "in reply to: $(dirname "$PENNY_IN_REPLY_TO") $(tail -n 1 "$PENNY_IN_REPLY_TO"), $(tail -n 1 "$PENNY_MESSAGE")"
else
  echo 'one more thing' | penny send expert -s aside > /dev/null || echo 'bad: not sent'
  echo 'what does it cost?' | penny send expert -s question --ref price > /dev/null || echo 'bad: not sent'
  penny settle "$PENNY_ID" blocked --on price -m 'it is asked' > /dev/null || echo 'bad: not blocked'
fi
`
const ANSWER = `#!/bin/sh
penny reply "$PENNY_ID" --settles done -m "seven, to: $(tail -n 1 "$PENNY_MESSAGE")" > /dev/null
`
const shape: Shape = {
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: {
    asker: 'runner: { command: [./ask.sh], max_attempts: 1 }\n',
    expert: 'runner: { command: [./answer.sh], max_attempts: 1 }\n',
    tooled: 'mounts: [{ from: TOOLS, at: /tools }]\nrunner: { command: [/tools/bin/hello, from], max_attempts: 1 }\n',
  },
  policies: { 'runners/ask.sh': ASK, 'runners/answer.sh': ANSWER },
}

const letter = (org: Organisation, agent: string, subject: string): Letter | undefined =>
  lettersOf(org.root, agent).find((one) => one.head.get('subject') === subject)
const isDone = (one: Letter | undefined): one is Letter => one?.head.get('status') === 'done'

function giveTools(org: Organisation): void {
  const file = org.at('policies/agents/tooled.md')
  writeFileSync(file, readFileSync(file, 'utf8').replace('TOOLS', `${org.base}/tools`))
  mkdirSync(`${org.base}/tools/bin`, { recursive: true })
  writeFileSync(`${org.base}/tools/bin/hello`, '#!/bin/sh\necho "hello $1 $(dirname "$0")"; ( : > /tools/bin/hello ) || echo read-only\n')
  chmodSync(`${org.base}/tools/bin/hello`, 0o755)
}

async function answers(t: Test, how: Shape): Promise<void> {
  const org = await organisation(t, { ...shape, ...how })
  giveTools(org)
  await org.up()
  org.drop('spool/asker/task.md', message({ subject: 'the task' }))
  org.drop('spool/tooled/task.md', message({ subject: 'one' }))
  for (const subject of ['aside', 'question']) await until(`${subject} is answered from inside`, () => isDone(letter(org, 'expert', subject)))
  await until('the task that waited is done', () => isDone(letter(org, 'asker', 'the task')), 30_000)
  const report = org.at('workspaces/asker/home/report')
  const lines = (): string[] => (exists(report) ? readFileSync(report, 'utf8').trim().split('\n').sort() : [])
  await until('both answers are read', () => lines().length >= 2)
  t.same(lines(), ['in reply to: /ws/sent one more thing, seven, to: one more thing', 'replies: /ws/new seven, to: what does it cost?'])

  const tooled = await until('a program in a mount has run', () => {
    const one = letter(org, 'tooled', 'one')
    return isDone(one) && one
  })
  const log = readFileSync(org.at('workspaces/tooled/runs', `${tooled.id}.log`), 'utf8')
  t.match(log, /^hello from \/tools\/bin$/m)
  t.match(log, /^read-only$/m, 'which it cannot change')
  t.match(readFileSync(`${org.base}/tools/bin/hello`, 'utf8'), /^#!/)
}

t.test(
  'system mode: inside a jail an agent answers, reads what it is answered, and runs a program of a mount',
  { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read' },
  (t) => answers(t, {}),
)

t.test(
  'user mode: inside a jail an agent answers, reads what it is answered, and runs a program of a mount',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  (t) => answers(t, AM_ROOT ? { as: ORDINARY } : {}),
)
