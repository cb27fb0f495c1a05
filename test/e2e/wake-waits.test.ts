import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { exists, lettersOf, message, until } from './files.ts'

const asks = `#!/bin/sh
if [ -e asked ]; then echo 'all together'; exit 0; fi
penny send legal -m 'a part, please' --ref part-1 --wait > out.txt 2> err.txt
echo $? > asked
penny send legal -m 'a part, please' --ref part-1 > sent.txt 2>> err.txt && penny settle "$PENNY_ID" blocked --on part-1 >> sent.txt 2>> err.txt
`

t.test('a run that would wait for an answer is sent away with 75 and nothing sent; blocked_on brings it back when the answer is there', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { pmo: 'runner: { command: [./asks.sh] }\n', legal: '' },
    policies: { 'runners/asks.sh': asks },
  })
  await org.up()
  org.drop('spool/pmo/main.md', message({ subject: 'main' }))
  const home = (file: string): string => org.at('workspaces/pmo/home', file)
  const part = await until('the part is asked for', () => lettersOf(org.root, 'legal')[0])
  await until('blocked', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('status') === 'blocked'))
  t.equal(readFileSync(home('asked'), 'utf8'), '75\n')
  t.equal(readFileSync(home('out.txt'), 'utf8'), '')
  t.match(readFileSync(home('err.txt'), 'utf8'), /set blocked_on.*fix: /s)
  t.equal(lettersOf(org.root, 'legal').length, 1, 'what would have waited was not sent')
  t.ok(exists(part.path))
  await org.as('legal', 'mv "new/$1" done/', part.file)
  await until('taken up again and done', () =>
    lettersOf(org.root, 'pmo').find((one) => one.head.get('subject') === 'main' && one.head.get('status') === 'done'),
  )
  await until('the answer', () => lettersOf(org.root, 'operator').find((one) => one.body.toString() === 'all together\n'))
})
