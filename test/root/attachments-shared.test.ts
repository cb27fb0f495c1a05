import { randomBytes } from 'node:crypto'
import { readFileSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { organisation } from '../e2e/driver.ts'
import { lettersOf, message, until } from '../e2e/files.ts'
import { makeImage, mountImage, whyNot, workplace } from './image.ts'

const MIB = 1024 ** 2
const SIZE = 24 * MIB
const names = Array.from({ length: 8 }, (_, n) => `a-${n}`)

const why = await whyNot('btrfs')
tap.test('one attachment for eight is on a disk that can share blocks once, and eight files of their own', { skip: why ?? false }, async (t) => {
  const folder = await workplace(t)
  const base = await mountImage(await makeImage(folder, 'btrfs'), join(folder, 'before'))
  const org = await organisation(t, {
    base,
    agents: { pmo: '', ...Object.fromEntries(names.map((name) => [name, ''])) },
    policies: { 'groups/eight.yaml': `members: [${names.join(', ')}]\n` },
  })
  await org.up()
  const bytes = randomBytes(SIZE)
  const free = (): number => statfsSync(base).bavail * statfsSync(base).bsize
  const before = free()
  org.drop('workspaces/pmo/outbox/files/big.bin', bytes)
  org.drop('workspaces/pmo/outbox/task.md', message({ to: "'@eight'", subject: 'big', attach: 'big.bin' }))
  const letters = await until('all have it', () => {
    const found = names.flatMap((name) => lettersOf(org.root, name).map(({ id }) => org.at('workspaces', name, 'attachments', id, 'big.bin')))
    return found.length === names.length && found
  })
  for (const path of letters) t.ok(readFileSync(path).equals(bytes), path)
  t.equal(new Set(letters.map((path) => statSync(path).ino)).size, names.length, 'no two are one file')
  t.ok(letters.every((path) => statSync(path).nlink === 1 && (statSync(path).mode & 0o7777) === 0o640))
  t.ok(before - free() < 4 * SIZE, `${Math.round((before - free()) / MIB)} MiB for ${names.length} of ${SIZE / MIB}`)
  await org.end()
})
