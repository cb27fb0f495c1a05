import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { lettersOf, message, until } from './files.ts'

const book = '#!/bin/sh\ngrep "^subject:" "$PENNY_MESSAGE" >> order.txt\n'
/** Writes + at the start and - at the end of each run into one file per agent. */
const spell = '#!/bin/sh\nprintf "+ " >> spell.txt\nsleep 0.6\nprintf -- "- " >> spell.txt\n'

/** The most runs that were under way at once, from a row of + and -. */
function most(marks: string): number {
  let now = 0
  let top = 0
  for (const mark of marks.trim().split(/\s+/)) {
    now += mark === '+' ? 1 : -1
    top = Math.max(top, now)
  }
  return top
}

t.test('the most urgent is served first, the oldest of equals before the others', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 1, stagger: 0s }\n',
    agents: { legal: 'runner: { command: [./book.sh] }\n' },
    policies: { 'runners/book.sh': book },
  })
  await org.up()
  t.equal((await org.penny(['pause', 'legal'])).status, 0)
  const order = ['low', 'normal', 'urgent', 'normal', 'high', 'urgent']
  for (const [i, priority] of order.entries()) {
    org.drop('spool/legal/task.md', message({ subject: `${priority}-${i}`, priority }))
    await until(`${i}`, () => lettersOf(org.root, 'legal').length === i + 1)
  }
  t.same(
    lettersOf(org.root, 'legal').map((one) => one.head.get('subject')),
    ['urgent-2', 'urgent-5', 'high-4', 'normal-1', 'normal-3', 'low-0'],
    'ls shows the order',
  )
  t.equal((await org.penny(['resume', 'legal'])).status, 0)
  await until('all done', () => lettersOf(org.root, 'legal').every((one) => one.head.get('status') === 'done'))
  const ran = readFileSync(org.at('workspaces/legal/home/order.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replace('subject: ', ''))
  t.same(ran, ['urgent-2', 'urgent-5', 'high-4', 'normal-1', 'normal-3', 'low-0'])
})

t.test('an agent runs as many at once as its concurrency says, and the organisation as many as wake says', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 3, stagger: 0s }\n',
    agents: {
      one: 'runner: { command: [./spell.sh] }\n',
      two: 'runner: { command: [./spell.sh], concurrency: 2 }\n',
      five: 'runner: { command: [./spell.sh], concurrency: 5 }\n',
    },
    policies: { 'runners/spell.sh': spell },
  })
  await org.up()
  const counts = { one: 3, two: 6, five: 8 }
  const marks = (name: string): string => readFileSync(org.at('workspaces', name, 'home/spell.txt'), 'utf8')
  for (const [name, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) org.drop(`spool/${name}/task-${i}.md`, message({ subject: `task ${i}` }))
    await until(
      `${name}: all done`,
      () => {
        const all = lettersOf(org.root, name)
        return all.length === count && all.every((one) => one.head.get('status') === 'done')
      },
      30_000,
    )
  }
  t.equal(most(marks('one')), 1, 'one at a time by default')
  t.equal(most(marks('two')), 2, 'two at a time')
  t.equal(most(marks('five')), 3, 'not more than the organisation allows')
})
