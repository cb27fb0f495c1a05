// Starts the organisation of this folder, plays scripts/scenes/ in the order of their names, and ends what it started.
// Called by scripts/demo, which says what the exit statuses mean.
import { chmodSync, mkdirSync, mkdtempSync, constants as modes, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { makePaper } from './paper.mjs'
import { Interrupted, makeStage, Unexpected } from './stage.mjs'

const EXIT = { unexpected: 1, runsAlready: 75, notPermitted: 77, signalled: 128 }
/** Of `penny status`, when nothing runs here. */
const NO_DAEMON = 69

const began = performance.now()
const root = process.cwd()
const stay = process.argv.includes('--stay')
const paper = makePaper(process.stdout, process.stdout.isTTY === true && !process.env.NO_COLOR)
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopping.abort(signal))
// Whoever reads along may stop reading (`| head`): then the daemon must still be ended.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => stopping.abort('SIGPIPE'))

const scratch = mkdtempSync(join(tmpdir(), 'penny-demo-'))
const desk = join(scratch, 'desk')
const bin = join(scratch, 'bin')
mkdirSync(desk)
mkdirSync(bin)
// Agents that have a uid of their own may take from the desk what is named to them.
chmodSync(scratch, 0o711)
chmodSync(desk, 0o711)
symlinkSync(resolve('dist/cli/penny.js'), join(bin, 'penny'))
const stage = makeStage({ root, desk, bin, paper, signal: stopping.signal })

process.exitCode = await demo()

async function demo() {
  let started = false
  let status = 0
  try {
    const refused = await refuse()
    if (refused) return refused
    const scenes = await scenesOf('scripts/scenes')
    started = true
    await start()
    for (const scene of scenes) {
      paper.title(scene.title)
      await scene.play(stage)
    }
    paper.title('What was left for later')
    for (const play of stage.rest) await play()
    await finish(scenes.length)
  } catch (cause) {
    status = ended(cause)
  } finally {
    if (started && !(stay && status === 0)) await stop()
    rmSync(scratch, { recursive: true, force: true })
  }
  return status
}

/** The exit status where the demo cannot begin, after saying why and what to do; 0 where it can. */
async function refuse() {
  const running = await stage.run('penny status')
  if (running.status !== NO_DAEMON) {
    complain(
      `a daemon runs here already, and the demo starts its own. penny status says:\n\n${running.all}`,
      `${resolve('dist/cli/penny.js')} down    then scripts/demo again; or go on with the one that runs`,
    )
    return EXIT.runsAlready
  }
  const closed = process.getuid() === 0 ? closedFolder(root) : undefined
  if (closed) {
    complain(
      `as root each agent gets a uid of its own, and ${closed} lets none of them through, so they could not reach their mail.`,
      `chmod o+x ${closed}    or clone to where others may enter (/srv, /opt), or run scripts/demo as an ordinary user`,
    )
    return EXIT.notPermitted
  }
  return 0
}

/** The folder at or above `path` that other users cannot pass through. */
function closedFolder(path) {
  if ((statSync(path).mode & modes.S_IXOTH) === 0) return path
  return path === dirname(path) ? undefined : closedFolder(dirname(path))
}

async function scenesOf(folder) {
  const files = readdirSync(folder).filter((file) => /^\d\d-.*\.mjs$/.test(file))
  return Promise.all(files.sort().map((file) => import(pathToFileURL(resolve(folder, file)).href)))
}

async function start() {
  const walls = process.getuid() === 0 ? 'You are root, so each agent gets a uid of its own.' : 'You are an ordinary user, so every agent runs as you.'
  paper.title('Thirty agents and one person')
  paper.prose(`The organisation is the folder policies/, its mail lies in spool/ and workspaces/, all of it in ${root}. ${walls}`)
  paper.prose(`Below, a line after "$" is typed by you, the person; a line after "sales $" by the agent sales, in its home/.
    DESK is a folder with letters written for this demo, and penny is dist/cli/penny.js.`)
  await stage.type('penny up --detach', { ownGroup: true })
  await stage.type('penny agents | head -n 8')
}

async function finish(scenes) {
  paper.title('At the end')
  await stage.type('penny status')
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  paper.prose(`${scenes} scenes, each as it should be, in ${seconds} s. The mail stays in spool/ and workspaces/, which git ignores;
    to begin with empty mailboxes, with the daemon stopped: git clean -fdX .penny spool workspaces`)
  if (stay) suggest()
}

function suggest() {
  paper.prose('The daemon goes on. To try next:')
  paper.output(`alias penny=${resolve('dist/cli/penny.js')}
echo 'Is USD 10,000 enough for section 7?' | penny send legal --wait
echo 'Count the chairs by 2027-01-15.' > spool/coo/chairs.md; penny tasks
penny agents                     who does what right now
penny thread ID · penny log ID   what happened to a message
printf '%s\\n' --- 'prioirty: high' --- 'How many?' > spool/sales/oops.md; sleep 1; penny alerts
penny doctor                     tries everything, and says how to mend it
penny down                       ends the daemon`)
}

/** In a group of its own, so that a second ^C does not cut it off. */
async function stop() {
  const { status, all } = await makeStage({ root, desk, bin, paper, signal: new AbortController().signal }).run('penny down', { ownGroup: true })
  if (status === NO_DAEMON) return
  paper.typed(undefined, 'penny down')
  paper.output(all)
  if (status !== 0) complain('the daemon could not be stopped (see above).', `${resolve('dist/cli/penny.js')} status`)
}

function ended(cause) {
  if (cause instanceof Interrupted) {
    complain('stopped by you; the daemon ends too.')
    return EXIT.signalled + (constants.signals[stopping.signal.reason] ?? 0)
  }
  if (!(cause instanceof Unexpected)) throw cause
  complain(`not as it should be: ${cause.message}.`, `tail ${join(root, '.penny/run/daemon.log')}    what the daemon says`)
  return EXIT.unexpected
}

function complain(text, fix) {
  process.stderr.write(`demo: ${text}\n${fix ? `  fix: ${fix}\n` : ''}`)
}
