/** A key planted as the provider's: while runs happen and fail, and the provider refuses and breaks, it must be nowhere but in its file. */
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { alertOf, lettersOf, message, pause, until } from './files.ts'
import { type Answered, gatewayHouse, untilAsked } from './gateway-house.ts'

const CANARY = 'sk-ant-canary-3f9c1b7e5d2a4860'
/** Also as headers, URLs and encodings would show it. */
const FORMS = [CANARY, Buffer.from(CANARY).toString('base64').slice(0, 36), Buffer.from(CANARY).toString('hex')]

const RUNNER = `#!/bin/sh
env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'
ls -laR /run /ws 2>/dev/null; cat "$PENNY_MESSAGE"
case $(cat "$PENNY_MESSAGE") in *fail*) exit 3 ;; *hang*) sleep 600 ;; *) echo done ;; esac
`

function* filesUnder(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(path)
    else if (lstatSync(path).isFile()) yield path
  }
}

const isTold = (data: Buffer | string): boolean => FORMS.some((form) => data.includes(form))

/** Everything that may be read of every process but this one, which planted it. */
function processesThatTell(): string[] {
  const told: string[] = []
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    for (const file of ['environ', 'cmdline']) {
      try {
        if (isTold(readWhole(`/proc/${pid}/${file}`))) told.push(`${pid} ${file}`)
      } catch {
        // It ended, or nobody may look into it: then nobody sees a key in it either.
      }
    }
  }
  return told
}

function readWhole(path: string): Buffer {
  const fd = openSync(path, 'r')
  try {
    const room = Buffer.alloc(1024 * 1024)
    return room.subarray(0, readSync(fd, room, 0, room.length, null))
  } finally {
    closeSync(fd)
  }
}

t.test("the provider's key is in no process, log, journal, alert, error, workspace or file of the daemon's, whatever fails", async (t) => {
  const agents = Object.fromEntries(
    ['legal', 'pmo', 'cfo'].map((name) => [name, 'runner: { command: [./handle.sh], max_attempts: 2, timeout: 2s }\nbudget: { tokens_per_day: 60 }\n']),
  )
  const house = await gatewayHouse(t, {
    key: CANARY,
    provider: { keys: { [CANARY]: {} } },
    agents,
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    policies: { 'runners/handle.sh': RUNNER },
  })
  const { org, upstream, keyFile } = house
  await org.up()
  await untilAsked('its doors are open', async () => (await house.standing())['state'] === 'ready')
  const answers: Answered[] = []
  const ask = async (agent: string, key?: string): Promise<void> => {
    // One that the provider breaks off is no answer.
    const answer = await house.ask(agent, key).catch((cause: unknown): Answered => ({ status: 0, body: String(cause) }))
    answers.push(answer)
  }
  const told: string[] = []
  const look = (): void => void told.push(...processesThatTell())

  for (const [n, subject] of ['well', 'fail', 'hang'].entries()) org.drop(`spool/${Object.keys(agents)[n]}/${subject}.md`, message({ subject }, `${subject}\n`))
  look()
  upstream.control.next(
    { kind: 'error', status: 400, message: 'what is this' },
    { kind: 'error', status: 403 },
    { kind: 'error', status: 500 },
    { kind: 'cut' },
    { kind: 'error', status: 404 },
  )
  for (const agent of ['legal', 'pmo', 'cfo', 'legal', 'pmo', 'cfo', 'legal']) await ask(agent)
  await ask('legal', CANARY)
  look()
  await until('a refusal is told', () => alertOf(org.root, 'provider-refused') ?? alertOf(org.root, 'over-budget'))

  // Its file goes wrong in every way, and the provider refuses what lies in it.
  writeFileSync(`${keyFile}.new`, `${CANARY} ${CANARY}\n`, { mode: 0o600 })
  renameSync(`${keyFile}.new`, keyFile)
  await until('two words are told', () => alertOf(org.root, 'provider-key', 'more than one word'))
  writeFileSync(`${keyFile}.new`, `${CANARY}\n`, { mode: 0o644 })
  renameSync(`${keyFile}.new`, keyFile)
  await until('it is open to all', () => alertOf(org.root, 'provider-key', 'chmod 600'))
  rmSync(keyFile)
  writeFileSync(keyFile, `${CANARY}\n`, { mode: 0o600 })
  await until('it is right again', () => !alertOf(org.root, 'provider-key'))
  upstream.control.removeKey(CANARY)
  await ask('pmo')
  await until('it is refused', () => alertOf(org.root, 'provider-key', 'refuses the one'))
  const shown = await Promise.all(
    [
      ['gateway', 'status'],
      ['gateway', 'status', '--json'],
      ['gateway', 'test'],
      ['status'],
      ['doctor', '--online'],
      ['alerts'],
      ['usage'],
      ['events', '--since', '1h'],
    ].map((args) => org.penny(args)),
  )
  await until('the runs are over', () => Object.keys(agents).every((name) => lettersOf(org.root, name).some((one) => one.folder === 'done')), 60_000)
  look()
  process.kill(Number((await house.standing())['pid']), 'SIGABRT')
  await pause(500)
  look()

  t.ok(isTold(readFileSync(keyFile)), 'where it is it is seen')
  t.ok(
    upstream.seen.some(({ key }) => key === CANARY),
    'it is the key that was used',
  )
  t.same([...new Set(told)], [], 'no process shows it')
  t.same(
    answers.filter(({ body }) => isTold(body)),
    [],
    'no answer does',
  )
  t.same(
    shown.filter(({ out, err }) => isTold(out) || isTold(err)),
    [],
    'no command does',
  )
  t.notOk(isTold(org.log()), 'the log does not')
  await org.end()
  t.same(
    [...filesUnder(org.base)].filter((path) => isTold(readFileSync(path))),
    [],
    'no file of the organisation does, and there is no core of a process',
  )
})
