import t from 'tap'
import { findPriority, meantBy, misleadingWord, type PriorityScheme } from '../../src/core/priority.ts'
import { configOf } from '../config/organisation.ts'

const scheme = configOf({}).priorities
const mapped: PriorityScheme = { ...scheme, aliases: new Map([['P1', 'urgent']]) }

function wordOf(file: string, written?: string, of = scheme): string | undefined {
  const found = findPriority(of, written)
  if (!('rule' in found)) throw new Error(`no priority ${written}`)
  return misleadingWord(of, file, found.rule, written)
}

t.test('a name that ends in what reads like a priority misleads where the front matter does not say that very word', async (t) => {
  const names = ['task-P1.md', 'task-urgent.md', 'task.high.md', 'task-asap.md', 'ASAP.MD', 'p2.md', 'low.md', 'urgent.md', 'call (critical).md', 'x-sev1.md']
  for (const name of [...names, 'todo-now.md', 'as-normal.md', 'x-med.md']) t.ok(wordOf(name), name)
  t.equal(wordOf('task-P1.md', 'urgent'), 'P1')
  t.equal(wordOf('task-urgent.md', 'high'), 'urgent')
  t.equal(wordOf('task-p1.md', undefined, mapped), 'p1')
  t.equal(wordOf('task-p1.md', 'urgent', mapped), 'p1', 'an alias is not the very word')
  for (const priority of ['urgent', 'high', 'low']) t.equal(wordOf(`task-${priority}.md`, priority), undefined)
})

t.test('a plain word that is the whole name is a title', async (t) => {
  for (const name of ['hi.md', 'now.md', 'normal.md', 'important.md', 'hot.md', 'x-constructor.md', 'p.md']) t.equal(wordOf(name), undefined, name)
})

t.test('each word means a priority of the scheme', async (t) => {
  const meant = {
    P0: 'urgent',
    P1: 'urgent',
    p2: 'high',
    P3: 'normal',
    p9: 'low',
    sev2: 'high',
    asap: 'urgent',
    important: 'high',
    medium: 'normal',
    LOW: 'low',
  }
  for (const [word, priority] of Object.entries(meant)) t.equal(meantBy(scheme, word), priority, word)
})
