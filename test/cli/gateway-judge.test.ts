import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { judge } from '../../src/cli/gateway-judge.ts'
import { dollars } from '../../src/cli/gateway-screen.ts'
import type { GatewayState } from '../../src/core/control.ts'
import type { Tested } from '../../src/gateway/index.ts'

const STATE: GatewayState = { state: 'ready', providers: ['one'], without_key: [], over_budget: [] }

t.test('an address that ends in /v1 is mended by the command that gateway test prints', async (t) => {
  const tested: Tested = { kind: 'answered', status: 404, verdict: 'wrong', ms: 1, requestId: undefined }
  const { ok, fix = '' } = judge('one', tested, STATE)
  t.equal(ok, false)
  for (const end of ['/v1', '/v1/', '/v1/messages', '/', '']) {
    const dir = t.testdir({ policies: { providers: { 'one.yaml': `api: anthropic-messages\nbase_url: https://a.example${end}\nkey_file: /k/v1\n` } } })
    const { status, stderr } = spawnSync('sh', ['-c', fix.split(' && ')[0] ?? ''], { cwd: dir, encoding: 'utf8' })
    t.equal(status, 0, stderr)
    const mended = `api: anthropic-messages\nbase_url: https://a.example${end === '/' ? '/' : ''}\nkey_file: /k/v1\n`
    t.equal(readFileSync(`${dir}/policies/providers/one.yaml`, 'utf8'), mended, `"${end}"`)
  }
})

t.test('gateway test says in words why nobody answers, and opens the file', async (t) => {
  t.same(judge('one', { kind: 'unreachable', why: 'ECONNREFUSED', ms: 1 }, STATE), {
    ok: false,
    what: 'nobody answers at its base_url: nothing listens there (ECONNREFUSED)',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell's.
    fix: '${EDITOR:-vi} policies/providers/one.yaml   # base_url:',
  })
  t.match(judge('one', { kind: 'unreachable', why: 'EHOSTDOWN', ms: 1 }, STATE), { what: 'nobody answers at its base_url (EHOSTDOWN)' })
})

t.test('what was spent is never shown as nothing', async (t) => {
  t.same([0, 0.00363, 0.01, 12.345].map(dollars), ['0.00', '<0.01', '0.01', '12.35'])
})
