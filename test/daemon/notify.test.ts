import t from 'tap'
import { notifier } from '../../src/daemon/notify.ts'
import { realSystem } from '../../src/system/index.ts'
import { until } from '../crash/house.ts'

const sh = (script: string): string[] => ['/bin/sh', '-c', script]

t.test('a notify command that fails is told with the first line it said, until it works or is no longer in force', async (t) => {
  const { spawner, self, clock } = await realSystem(t.testdir(), 'error', () => undefined)
  const logged: unknown[] = []
  const { run, failing } = notifier(spawner, (_level, _what, fields) => void logged.push(fields), clock, self, { PATH: process.env['PATH'] ?? '' })
  // Its standard input decides, so that the same command fails and then works.
  const moody = sh('read word; [ "$word" = well ] && exit 0; echo; pwd >&2; echo more >&2; exit 3')
  const silent = sh('exit 4')
  const killed = sh('kill -9 $$')
  const absent = ['/nonexistent/mailer']
  const all = [moody, silent, killed, absent]
  for (const argv of all) run(argv, 'badly\n')
  await until(() => failing(all).length === all.length)
  t.match(failing(all), [
    { command: moody, why: 'exit 3: /', at: /^20\d\d-/ },
    { command: silent, why: 'exit 4' },
    { command: killed, why: 'killed by SIGKILL' },
    { command: absent, why: /\/nonexistent\/mailer/ },
  ])
  t.equal(logged.length, all.length)
  t.ok(
    logged.some((one) => (one as { why?: string }).why === 'exit 3: /'),
    'the log says it too',
  )
  t.same(failing([]), [], 'a command that was taken out of policies/ fails no more')
  run(moody, 'well\n')
  await until(() => failing(all).length === all.length - 1)
  t.same(failing([moody]), [])
})
