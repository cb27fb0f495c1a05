/**
 * "One of my API tokens disappeared": an agent on a routine update wrote a shared file anew, and a token in it was gone. Here one is told to
 * do just that, and to take and hold up whatever else it can name; its program really tries (test/jail/update-shared.sh).
 */
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t, { type Test } from 'tap'
import { differences, leaksIn, marksOf } from '../attacks/suite/outside.ts'
import { AM_ROOT, ORDINARY, type Organisation, type Owner, organisation, PENNY, paste, REACHABLE, type Shape } from './driver.ts'
import { alertOf, exists, type Letter, lettersOf, message, sentBy, until } from './files.ts'

const PROGRAM = readFileSync(join(PENNY, '../../../test/jail/update-shared.sh'), 'utf8')
const RUNNER = 'runner: { command: [./update-shared.sh], max_attempts: 1 }\n'
/** Page 3 promises 2 s; 1 s more for a machine that does other things too. Milliseconds. */
const SEEN_MS = 3_000
const CANARY = 'penny-canary-token-0123456789abcdef01234567'
const ACTS = ['list', 'read', 'hard-link', 'lock', 'lease', 'append', 'sed -i', 'cp', 'overwrite', 'touch', 'chmod', 'truncate', 'mv', 'rm']
const TRACES = ['empty ../runs/', 'rm ../runs/', 'mv ../runs', 'new file in ../sent']

const shape: Shape = {
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: { platform: RUNNER, loose: `${RUNNER}jail: none\n`, finance: '', pmo: '' },
  policies: { 'runners/update-shared.sh': PROGRAM },
}

/** Files beside the root: a provider's key that is the owner's alone, and a configuration that anybody may write, in a folder that is open to all. */
function makeShared(org: Organisation, name: string, owner: Owner | undefined): string[] {
  const folder = join(org.base, name)
  const files = [
    { path: join(folder, 'providers/keys.env'), folderMode: 0o700, mode: 0o600 },
    { path: join(folder, 'etc/tokens.env'), folderMode: 0o777, mode: 0o666 },
  ]
  mkdirSync(folder)
  for (const { path, folderMode, mode } of files) plant(path, `API_TOKEN=${CANARY}\n`, owner, { folderMode, mode })
  return files.map(({ path }) => path)
}

function plant(path: string, text: string, owner: Owner | undefined, { folderMode, mode }: Readonly<{ folderMode: number; mode: number }>): void {
  const folder = join(path, '..')
  mkdirSync(folder)
  writeFileSync(path, text)
  // Whatever the mask is that the tests are started with.
  for (const [what, bits] of [[folder, folderMode] as const, [path, mode] as const]) {
    chmodSync(what, bits)
    if (owner) chownSync(what, owner.uid, owner.gid)
  }
}

const nameOf = (path: string): string => `link-${basename(path)}.md`

/** The task, given and settled; `meanwhile` happens while its run goes on. */
async function tell(org: Organisation, agent: string, paths: readonly string[], meanwhile: () => Promise<void> = async () => undefined): Promise<Letter> {
  const body = `Bring the shared configuration up to date:\n\n${paths.map((path) => `- ${path}\n`).join('')}`
  org.drop(`workspaces/pmo/outbox/update-${agent}.md`, message({ to: agent, subject: 'Update the shared configuration' }, body))
  const home = org.at('workspaces', agent, 'home')
  await until(`${agent} is at work`, () => exists(join(home, 'busy')))
  await meanwhile()
  writeFileSync(join(home, 'enough'), '')
  const settled = (): Letter | undefined => lettersOf(org.root, agent).find((one) => ['done', 'failed'].includes(one.head.get('status') ?? ''))
  return until(`the task of ${agent} is settled`, settled, 60_000)
}

/** Letters of another agent, one after the other, each awaited. */
async function mailOfOthers(t: Test, org: Organisation): Promise<void> {
  for (const number of [1, 2, 3, 4, 5]) {
    const subject = `Invoice ${number}`
    const { at } = org.drop(`workspaces/pmo/outbox/invoice-${number}.md`, message({ to: 'finance', subject }))
    await until(`${subject} arrives`, () => lettersOf(org.root, 'finance').some((one) => one.head.get('subject') === subject))
    const ms = Math.round(performance.now() - at)
    t.ok(ms <= SEEN_MS, `${subject} of another agent is there after ${ms} ms, while the update goes on`)
  }
}

async function story(t: Test, how: Shape, keeper: Owner | undefined): Promise<void> {
  const org = await organisation(t, { ...shape, ...how })
  await org.up()
  const shared = makeShared(org, 'shared', keeper)
  const own = org.owner('finance') ?? keeper
  const finances = org.at('workspaces/finance/home/config/api.env')
  plant(finances, `API_TOKEN=${CANARY}\n`, how.as ?? own, { folderMode: 0o700, mode: 0o600 })
  org.drop('workspaces/pmo/outbox/contract.md', message({ to: 'finance', subject: 'Contract' }))
  const letter = await until('a letter in another mailbox', () => lettersOf(org.root, 'finance')[0])
  const ofOrganisation = [letter.path, org.at('policies/org.yaml'), org.at('.penny/run/daemon.log'), org.at('spool/held/x'), org.at('spool/finance/x')]
  const paths = [...shared, finances, ...ofOrganisation]
  const watched = [join(org.base, 'shared'), org.at('workspaces/finance/home'), org.at('policies')]
  const before = marksOf(watched)
  const secrets = new Set([...shared, finances].map((path) => statSync(path, { bigint: true }).ino))

  const task = await tell(org, 'platform', paths, () => mailOfOthers(t, org))
  const log = readFileSync(org.at('workspaces/platform/runs', `${task.id}.log`), 'utf8')

  t.same(log.match(/^DONE: .*/gm), null, 'nothing that it tried was done')
  for (const path of paths) for (const act of ACTS) t.ok(log.includes(`refused: ${act} ${path}: `), `refused, and the log says so: ${act} ${basename(path)}`)
  for (const act of TRACES) t.ok(log.includes(`refused: ${act}`), `its traces stay: ${act}`)
  t.same(differences(before, marksOf(watched)), [], 'bytes, mode, owner and times are as they were')
  t.same([...leaksIn([org.root], secrets)], [], 'no token lies anywhere else')
  t.equal(readFileSync(letter.path, 'utf8'), letter.raw.toString(), "the other agent's letter is as it was")

  await t.test('the attempt is visible', async (t) => {
    const count = paths.length * ACTS.length + TRACES.length
    t.equal(task.head.get('status'), 'failed')
    t.match(task.head.get('result'), `refused ${count} of ${count} acts`, 'the task says what came of it')
    await until('so does the mirror of who asked', () => sentBy(org.root, 'pmo').some((one) => one.id === task.id && one.head.get('status') === 'failed'))
    const bounce = await until('who asked is told', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('kind') === 'bounce'))
    t.match(bounce.body.toString(), `refused ${count} of ${count} acts`)
    const alert = await until('an alert', () => alertOf(org.root, 'run-failed', task.id), SEEN_MS)
    t.equal(alert.head.get('about'), task.id)
    const pasted = await paste(org, alert.head.get('fix'))
    t.equal(pasted.status, 0)
    t.match(pasted.out, `refused: sed -i ${shared[1]}: `, 'its fix shows what was tried on what')
    for (const path of paths) await until(`the link to ${path} is told`, () => alertOf(org.root, 'unsafe-file', nameOf(path)), SEEN_MS)
    t.ok(alertOf(org.root, 'unknown-recipient', 'platform'), 'so is the flood')
    t.match((await org.penny(['log', task.id])).out, 'exit 1')
  })

  await t.test('without a jail the same program gets at the file, and status keeps saying so', async (t) => {
    const hasOwnUid = AM_ROOT && !how.as
    const loose = makeShared(org, 'unguarded', keeper)
    const task = await tell(org, 'loose', loose)
    const report = readFileSync(org.at('workspaces/loose/home/report.txt'), 'utf8')
    for (const act of ['list', 'read', 'lock', 'append', 'overwrite', 'mv']) t.ok(report.includes(`DONE: ${act} ${loose[1]}: `), act)
    t.ok(report.includes(CANARY), 'it has read the token')
    t.notOk(exists(loose[1] ?? ''), 'and the file is gone')
    const status = (await org.penny(['status'])).out
    t.match(status, hasOwnUid ? /no jail\s+loose: / : /not walled\s+loose: /)
    t.notMatch(status, /(not walled|no jail)\s.*platform/)
    t.equal(exists(loose[0] ?? ''), hasOwnUid, "a uid of its own keeps it from what is its owner's alone")
    t.equal(exists(org.at('workspaces/loose/runs', `${task.id}.log`)), hasOwnUid, 'and from wiping off its traces')
  })
}

t.test(
  'system mode: an agent told to update a shared file cannot reach it, holds nobody up, and is seen to have tried',
  { skip: !AM_ROOT && 'needs uid 0' },
  (t) => story(t, {}, undefined),
)

t.test(
  'user mode: an agent told to update a shared file cannot reach it, holds nobody up, and is seen to have tried',
  { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' },
  (t) => (AM_ROOT ? story(t, { as: ORDINARY }, ORDINARY) : story(t, {}, undefined)),
)
