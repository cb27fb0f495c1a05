import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Jail } from '../../src/jail/index.ts'
import { packageFolder } from '../../src/system/package.ts'
import { environmentOf } from '../../src/wake/plan.ts'
import type { RunRecord } from '../../src/wake/records.ts'
import { makeOffice } from './office.ts'

/** Names in the table below "## Waking". */
function documented(): string[] {
  const text = readFileSync(`${packageFolder()}/docs/life-of-a-message.md`, 'utf8')
  const [, waking = ''] = text.split('\n## Waking\n')
  const [table = ''] = waking.split('\n| it ends with |')
  return [...new Set([...table.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name))]
}

t.test('what a run finds in its environment is what docs/life-of-a-message.md lists, with a jail and without', async (t) => {
  const office = makeOffice(t)
  const agent = office.agent('legal', 'true')
  const question = office.deliver('legal')
  writeFileSync(`${office.root}/workspaces/legal/sent/3-normal.${question.id}.x.md`, '')
  const mail = office.deliver('legal', { inReplyTo: question.id, due: '2026-11-22T09:00:00Z' })
  mkdirSync(`${office.root}/workspaces/legal/attachments/${mail.id}`)
  const record: RunRecord = {
    run: question.id,
    id: mail.id,
    agent,
    isNote: false,
    sender: mail.from,
    subject: mail.subject,
    priority: mail.priority,
    attempt: 1,
    maxAttempts: 3,
    boot: 'boot-1',
    startedMs: 0,
    replies: [question.id],
  }
  const jail = { workspace: `${office.root}/workspaces/legal`, gateway: '/sockets/legal' } as Jail
  const keptFor = () => ({ checkpoint: `${office.root}/workspaces/legal/runs/c.md`, sealed: `${office.root}/workspaces/legal/runs/s.json` })
  const given = { ...office.given, keptFor, environment: { PATH: '/bin', LANG: 'C', TZ: 'UTC' } }
  const jailed = environmentOf(given, mail, record, { jail, gateway: undefined })
  const bare = environmentOf(given, mail, record, { jail: undefined, gateway: '/sockets/legal/gateway.sock' })
  t.same([...new Set([...Object.keys(jailed), ...Object.keys(bare)])].sort(), documented().sort())
  t.match(jailed, { PENNY_GATEWAY: '/run/gateway.sock', ANTHROPIC_BASE_URL: 'http://127.0.0.1:8787' })
  t.equal(bare['PENNY_GATEWAY'], '/sockets/legal/gateway.sock')
  t.notOk('ANTHROPIC_BASE_URL' in bare, 'no forwarder without a jail')
})
