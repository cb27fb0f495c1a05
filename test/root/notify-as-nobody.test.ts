import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { notifier } from '../../src/daemon/notify.ts'
import { realSystem } from '../../src/system/index.ts'
import { until } from '../crash/house.ts'

const skip = process.getuid?.() === 0 ? false : 'needs uid 0'

t.test('commands of notify: run as nobody, in no group of the daemon, and with no way to get more', { skip }, async (t) => {
  const folder = mkdtempSync(`${tmpdir()}/penny-notify-`)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  // Anybody may write there.
  chmodSync(folder, 0o777)
  const logged: string[] = []
  const { spawner, self, clock } = await realSystem(t.testdir(), 'error', () => undefined)
  const { run: notify } = notifier(spawner, (_level, what, fields) => void logged.push(`${what} ${JSON.stringify(fields)}`), clock, self, {
    PATH: process.env['PATH'] ?? '',
  })
  const who = 'id -u; id -g; id -G; grep -E "^(NoNewPrivs|CapEff)" /proc/self/status | tr -s "\\t\\n" "  "; cat'
  notify(['/bin/sh', '-c', `(${who}) > "$0/part" && mv "$0/part" "$0/all"`, folder], 'the alert')
  await until(() => readdirSync(folder).includes('all') || logged.length > 0)
  t.same(logged, [])
  t.equal(readFileSync(`${folder}/all`, 'utf8'), '65534\n65534\n65534\nCapEff: 0000000000000000 NoNewPrivs: 1 the alert')
})
