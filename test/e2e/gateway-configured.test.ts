/** Commands typed one after the other, as a newcomer pastes them: none of them needs a pause before it. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { KEY, startProvider } from '../support/provider/provider.ts'
import { organisation } from './driver.ts'
import { freePort } from './ports.ts'

t.test('what was configured a moment ago counts for the next command: a provider, a key, an agent that asks a model', async (t) => {
  const upstream = await startProvider({ latencyMs: 5 })
  t.teardown(upstream.close)
  upstream.control.script(() => ({ kind: 'answer', content: 'A haiku.' }))
  const keys = mkdtempSync(join(tmpdir(), 'penny-keys-'))
  t.teardown(() => rmSync(keys, { recursive: true, force: true }))
  chmodSync(keys, 0o755)
  const org = await organisation(t, { org: `gateway: { listen: "127.0.0.1:${await freePort()}" }\n`, agents: { legal: '' } })
  await org.up()
  t.equal((await org.penny(['gateway', 'test'])).status, 66)
  t.match(await org.penny(['gateway', 'key', 'legal']), { status: 0, err: /nothing listens there yet.*\n +fix: / }, 'it will count once there is a provider')

  writeFileSync(join(keys, 'main'), `${KEY}\n`, { mode: 0o600 })
  mkdirSync(org.at('policies/providers'))
  const file = org.at('policies/providers/main.yaml')
  writeFileSync(file, `api: anthropic-messages\nbase_url: ${upstream.url}\nkey_file: ${keys}/main\n`)
  t.match(await org.penny(['gateway', 'test']), { status: 0, out: /^ok +main/ })
  t.notMatch((await org.penny(['gateway', 'key', 'legal'])).err, /fix:/)

  writeFileSync(join(keys, 'main'), 'sk-ant-wrong\n')
  t.match(await org.penny(['gateway', 'test']), { status: 1, out: /refuses the key/ }, 'the key that lies there now')
  writeFileSync(join(keys, 'main'), `${KEY}\n`)
  t.match(await org.penny(['gateway', 'test']), { status: 0 })

  const yaml = readFileSync(file, 'utf8')
  writeFileSync(file, `${yaml}fallbak: []\n`)
  t.match(await org.penny(['gateway', 'test']), { status: 78, err: /cannot be used.*fix: .*alerts/s }, 'not what ran before')
  writeFileSync(file, yaml)
  t.equal((await org.penny(['gateway', 'test'])).status, 0)

  const agent = org.at('policies/agents/legal.md')
  writeFileSync(agent, readFileSync(agent, 'utf8').replace('---\n', '---\nrunner: { builtin: anthropic }\n'))
  t.match(await org.penny(['send', 'legal', '-s', 'haiku', '--wait'], { input: 'Write a haiku about mail.' }), { status: 0, out: /A haiku\./ })
})
