import { chmodSync } from 'node:fs'
import t from 'tap'
import { objects, openOrganisation, organisation, penny, pennyOfAStranger, write } from './called.ts'

/** YAML that only a parser can be sure of: the whole configuration is loaded for it. */
const QUOTED = '---\n"title": "Head of \\u004cegal"\nmanager: pmo\n---\n'

t.test('a definition that cannot be read at a glance is read as the daemon would', async (t) => {
  const root = organisation(t)
  write(`${root}/policies/agents/legal.md`, QUOTED)
  t.match(objects((await penny(['agents', '--json', '--root', root])).out), [
    { name: 'legal', title: 'Head of Legal', manager: 'pmo' },
    { name: 'pmo', manager: 'operator' },
  ])
})

t.test('a configuration that the daemon would refuse is refused with its first problem, and how many more there are', async (t) => {
  const root = organisation(t)
  write(`${root}/policies/agents/legal.md`, QUOTED.replace('manager:', 'manger:'))
  const one = await penny(['agents', '--root', root])
  t.equal(one.status, 78)
  t.match(
    one.err,
    /policies\/ cannot be used: .*legal\.md:3:1.*did you mean manager\?[\s\S]*the only problem[\s\S]*fix: \$\{EDITOR:-vi\} \S*policies\/agents\/legal\.md/,
  )
  write(`${root}/policies/groups/team.yaml`, 'members: [nobody]\n')
  t.match((await penny(['agents', '--root', root])).err, /and 1 more problem\n/)
  write(`${root}/policies/groups/crew.yaml`, 'members: [nobody]\n')
  t.match((await penny(['agents', '--root', root])).err, /and 2 more problems\n/)
})

t.test('who may not read the policies is told so, not that there are none', async (t) => {
  const root = openOrganisation(t)
  write(`${root}/policies/agents/legal.md`, QUOTED)
  await penny(['agents', '--root', root])
  chmodSync(`${root}/policies`, 0)
  t.teardown(() => chmodSync(`${root}/policies`, 0o700))
  const { status, err } = await pennyOfAStranger(['agents', '--root', root])
  t.equal(status, 77)
  t.match(err, /you may not read \S*\/policies[\s\S]*fix: (sudo \S*penny|chmod u\+rwX \S*\/policies\n)/)
})
