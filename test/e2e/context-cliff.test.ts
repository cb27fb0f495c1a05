/** The context cliff with a whole daemon, its gateway's process and a provider for tests: alert, order, sealed request, and the next run. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { KEY, startProvider } from '../support/provider/provider.ts'
import { AM_ROOT, type Organisation, organisation } from './driver.ts'
import { alertOf, alertsOf, exists, filesIn, lettersOf, message, until } from './files.ts'
import { freePort } from './ports.ts'

const MODEL = 'claude-opus-4-8'
const SUMMARISE = 'Your task is to create a detailed summary of the conversation so far, paying close attention …'
/** Each run says what it was given, and works until it is ended. */
const WORK = `#!/bin/sh
echo "given $(cat "$PENNY_CHECKPOINT" 2>/dev/null) and $(cat "$PENNY_SEALED" 2>/dev/null | wc -c) bytes"
exec sleep 600
`

async function cliff(t: Test) {
  const upstream = await startProvider({ latencyMs: 5, keepBodies: true })
  t.teardown(upstream.close)
  upstream.control.script(({ body }) => ({ kind: 'answer', content: 'ok', inputTokens: Math.round(JSON.stringify(body).length / 5), outputTokens: 10 }))
  const keys = mkdtempSync(join(tmpdir(), 'penny-keys-'))
  t.teardown(() => rmSync(keys, { recursive: true, force: true }))
  chmodSync(keys, 0o755)
  writeFileSync(join(keys, 'main'), `${KEY}\n`, { mode: 0o600 })
  const org = await organisation(t, {
    org: `gateway: { listen: "127.0.0.1:${await freePort()}" }\nwake: { concurrency: 8, stagger: 0s }\n`,
    agents: { legal: 'context_window: 10000\nrunner: { command: [./work.sh], max_attempts: 3 }\n' },
    policies: {
      'runners/work.sh': WORK,
      'providers/main.yaml': `api: anthropic-messages\nbase_url: ${upstream.url}\nkey_file: ${join(keys, 'main')}\n`,
    },
  })
  await org.up()
  return { org, upstream }
}

function say(org: Organisation, id: string, content: string): Promise<string> {
  const body = JSON.stringify({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content }] }, null, 1)
  const headers = { 'x-penny-message': id, 'x-api-key': 'placeholder', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: org.at('.penny/sockets/legal/gateway.sock'), path: '/v1/messages', method: 'POST', headers }, (answer) => {
      answer.resume().on('end', () => (answer.statusCode === 200 ? resolve(body) : reject(new Error(`status ${answer.statusCode}`))))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const words = (tokens: number): string => 'word '.repeat(tokens)
const notes = (org: Organisation): string[] =>
  lettersOf(org.root, 'legal').flatMap((one) => (one.head.get('subject')?.startsWith('Write a checkpoint') ? [one.head.get('in_reply_to') ?? ''] : []))

const noteFolders = (org: Organisation): string[] =>
  lettersOf(org.root, 'legal').flatMap((one) => (one.head.get('subject')?.startsWith('Write a checkpoint') ? [one.folder] : []))

t.test('a context that fills up is told of, its checkpoint asked for, its last request sealed; the next run is given both', async (t) => {
  const { org, upstream } = await cliff(t)
  await until('the agent has a door', () => exists(org.at('.penny/sockets/legal/gateway.sock')))
  org.drop('spool/legal/review.md', message({ to: 'legal', subject: 'twelve sections' }))
  const id = await until('its run', () =>
    lettersOf(org.root, 'legal')
      .find((one) => one.folder === 'cur')
      ?.head.get('id'),
  )
  const runs = org.at('workspaces/legal/runs')

  await say(org, id, words(2_000))
  await say(org, id, words(6_900))
  t.notOk(alertOf(org.root, 'context-high'))
  await say(org, id, words(7_300))
  const high = await until('people are told', () => alertOf(org.root, 'context-high'))
  t.match(high.text, `legal, at work on ${id}, is 7`)
  t.same(notes(org), [])

  await say(org, id, words(8_300))
  await until('the holder is told', () => notes(org).includes(id))
  t.match(JSON.parse(readFileSync(`${runs}/${id}.context.json`, 'utf8')), { message: id, passed: 80 })

  const body = await say(org, id, SUMMARISE)
  t.equal(upstream.seen.at(-1)?.body?.toString(), body)
  await until('that nothing was written is told', () => alertOf(org.root, 'checkpoint-missing', 'legal'))
  await until('the context begins anew', () => !alertOf(org.root, 'context-high'))
  const folder = org.at('.penny/checkpoints/legal')
  const [sealed = ''] = readdirSync(folder)
  t.match(sealed, new RegExp(`^\\d{8}T\\d{9}Z-${id}\\.json$`))
  t.equal(readFileSync(`${folder}/${sealed}`, 'utf8'), body)
  await until('its agent can read it', () => exists(`${runs}/${id}.sealed.json`))
  t.equal(readFileSync(`${runs}/${id}.sealed.json`, 'utf8'), body)
  if (AM_ROOT) {
    t.match(statSync(`${runs}/${id}.sealed.json`), { uid: 0, gid: org.owner('legal')?.gid })
    t.not(statSync(`${folder}/${sealed}`).uid, 0, 'written by the process of the gateway')
    t.equal(await org.as('legal', `cat "runs/$1.sealed.json"`, id), body)
    await t.rejects(org.as('legal', `rm -f "runs/$1.sealed.json"`, id))
    await t.rejects(org.as('legal', `cat "../../.penny/checkpoints/legal/$1"`, sealed))
  }

  await say(org, id, words(8_400))
  await until('it is asked for again', () => notes(org).length === 2)
  org.drop('workspaces/legal/home/checkpoint.md', `${id}\nsections 1-7 are done\n`, org.owner('legal'))
  await until('it is kept', () => exists(`${runs}/${id}.checkpoint.md`))
  await until('what was asked for is there: its order is put away', () => noteFolders(org).join() === 'done,done')
  await say(org, id, words(9_500))
  await say(org, id, SUMMARISE)
  await until('the context begins anew', () => !exists(`${runs}/${id}.context.json`))
  t.equal(alertsOf(org.root).filter(({ code }) => code === 'checkpoint-missing').length, 1)
  t.match(alertOf(org.root, 'checkpoint-missing')?.head.get('count'), '1', 'this time it was there')
  t.equal(filesIn(folder).length, 3, 'the request that nearly filled the window is sealed, too')
  t.same(
    alertsOf(org.root).filter(({ code }) => code === 'unmatched-file'),
    [],
  )

  // As a run that is lost: it begins again.
  await org.penny(['pause', 'legal', '--now'])
  await org.penny(['resume', 'legal'])
  const log = `${runs}/${id}.log`
  const given = await until('the next run says what it was given', () => /^given (\S+\nsections.*)$/m.exec(readFileSync(log, 'utf8'))?.[1])
  t.equal(given, `${id}\nsections 1-7 are done and ${Buffer.byteLength(readFileSync(`${runs}/${id}.sealed.json`))} bytes`)
})
