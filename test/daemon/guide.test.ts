import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { loadConfig, readPolicies } from '../../src/config/index.ts'
import { GUIDE_CHARACTERS, guideText } from '../../src/daemon/guide.ts'
import { realSystem } from '../../src/system/index.ts'
import { key, mailOf, newRoot, openHouse, report, until } from '../crash/house.ts'

t.test('what every agent of the example is told fits in 500 tokens of four characters', async (t) => {
  const { disk } = await realSystem(t.testdir(), 'error', () => undefined)
  const loaded = loadConfig(readPolicies(disk, 'policies'), 'policies')
  if (!loaded.ok) throw new Error('the example does not load')
  t.equal(loaded.config.agents.size, 30)
  for (const agent of loaded.config.agents.values()) {
    const text = guideText(loaded.config, agent)
    t.ok(text.length <= GUIDE_CHARACTERS, `${agent.name}: ${text.length} characters`)
    t.match(text, `You are ${agent.name} of acme; your manager is ${agent.manager}`)
    for (const { name } of loaded.config.priorities.rules) t.match(text, name)
  }
})

t.test('what the guide shows can be pasted, whatever names and words the organisation has', async (t) => {
  const root = newRoot()
  const policies: Record<string, string> = {
    'priorities.yaml':
      'now: { claim_within: 5m, finish_within: 1h }\nlater: { claim_within: 4h, finish_within: 3d }\nnever: { claim_within: 9h, finish_within: 9d }\n',
    // Its manager is not among those it may write to.
    'agents/legal.md': '---\nmay_write_to: [cfo]\n---\nYou review.\n',
    'groups/numbers.yaml': 'members: [cfo, clerk]\n',
    'agents/clerk.md': '---\nmanager: cfo\nmay_write_to: ["@numbers"]\n---\nYou work.\n',
  }
  mkdirSync(`${root}/policies/groups`)
  for (const [path, text] of Object.entries(policies)) writeFileSync(`${root}/policies/${path}`, text)
  const house = await openHouse(root)
  t.teardown(async () => {
    await house.stop()
    rmSync(root, { recursive: true, force: true })
  })
  await house.daemon.ready
  const expected = { legal: ['cfo', undefined], cfo: ['operator', '@numbers'], clerk: ['cfo', '@numbers'] } as const
  for (const [agent, [recipient, group]] of Object.entries(expected)) {
    const home = `${root}/workspaces/${agent}/home`
    const guide = readFileSync(`${home}/AGENTS.md`, 'utf8')
    t.equal(/group \(`"(@[a-z]+)"`\)/.exec(guide)?.[1], group)
    t.equal(guide.includes('You may read the mail of clerk: `/org/NAME/new`, cur, done.'), agent === 'cfo', 'whose manager it is')
    const example = guide.replaceAll(/^(?! {4}).*\n/gm, '').replaceAll(/^ {4}/gm, '')
    for (const script of [example, ...(group === undefined ? [] : [example.replace(/^to: .*$/m, `to: "${group}"`)])]) {
      execFileSync('/bin/sh', ['-ec', script], { cwd: home })
      const to = /^to: "?([^"\n]+)"?$/m.exec(script)?.[1] ?? ''
      const letter = await until(() => mailOf(root).find(({ text }) => key(text, 'from') === agent && key(text, 'to')?.includes(to)))
      t.match(letter?.holder, group === to ? /cfo|clerk/ : recipient, `${agent} to ${to}`)
      t.equal(letter && key(letter.text, 'priority'), 'later')
    }
  }
  t.same((await report(house)).alerts, [])
})
