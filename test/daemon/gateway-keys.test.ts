/** Key files as the daemon follows them, and what is said of keys that are no longer there. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Provider } from '../../src/core/config.ts'
import { createProviderKeys, readKeyFile } from '../../src/daemon/gateway-keys.ts'
import { realDisk } from '../../src/system/disk.ts'
import { chooseLease } from '../../src/system/lease.ts'
import { makeHandClock } from '../hand-clock.ts'

t.test('a refusal is of the key that it was said of: one that crosses another key on the way takes that one from nobody', async (t) => {
  const root = t.testdir()
  const keyFile = join(root, 'main')
  const clock = makeHandClock(0)
  const alerts: string[] = []
  const told: [key: string | undefined, turn: number][] = []
  const keys = createProviderKeys({
    clock,
    disk: realDisk(undefined, chooseLease(undefined, root)),
    uid: process.getuid?.() ?? 0,
    providers: () => [{ name: 'main', keyFile } as Provider],
    raise: ({ code }) => void alerts.push(code),
    clear: () => void alerts.splice(0),
    changed: (_, key, turn) => void told.push([key, turn]),
  })
  const write = async (key: string): Promise<void> => {
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 })
    keys.look()
    await clock.turn(1_000)
    keys.look()
  }
  await write('old')
  const old = keys.turnOf('main')
  await write('new')
  t.same(
    told.map(([key]) => key),
    ['old', 'new'],
  )
  keys.refused('main', old)
  t.same([keys.of('main'), alerts], ['new', []])
  keys.refused('main', keys.turnOf('main'))
  t.same([keys.of('main'), alerts], [undefined, ['provider-key']])
  // The same word again is another key: its file was written anew.
  await write('new')
  keys.refused('main', old)
  t.same([keys.of('main'), alerts], ['new', []])
  t.equal(new Set(told.map(([, turn]) => turn)).size, told.length, 'none was called as another')
})

t.test('a key in quotes or behind a name is told before a provider refuses it; the end of its line does not matter', async (t) => {
  const path = join(t.testdir(), 'main')
  const read = (text: string): unknown => {
    writeFileSync(path, text, { mode: 0o600 })
    return readKeyFile(realDisk(undefined, chooseLease(undefined, path)), path, process.getuid?.() ?? 0)
  }
  for (const text of ['"sk-a1"', "'sk-a1'\n", 'ANTHROPIC_API_KEY=sk-a1\n', 'ANTHROPIC_API_KEY="sk-a1"']) {
    const found = read(text)
    t.match(found, { why: /has quotes or NAME= around the key, and the key alone is needed$/, fix: /^install -D -m 600 / }, text)
    t.notMatch(JSON.stringify(found), 'sk-a1', 'the key itself is told to nobody')
  }
  for (const end of ['', '\n', '\r\n', '\n\n']) t.same(read(`sk-a1=${end}`), { key: 'sk-a1=' })
})
