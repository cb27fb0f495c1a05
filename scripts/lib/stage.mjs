/**
 * What a scene is given: it types commands as the person or as an agent, waits until something is seen, and checks it.
 *
 * A scene is a file scripts/scenes/NN-name.mjs with `title` (a string) and `play(stage)`. Whatever is not as it should be
 * throws `Unexpected` with one sentence, and the demo ends with it. Nothing is slept for: `until` looks until it sees, and
 * gives up after the time that was promised.
 */
import { spawn } from 'node:child_process'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { lettersOf, openAlerts, ownerOf } from './mail.mjs'

export class Unexpected extends Error {}
export class Interrupted extends Error {}

/** Longer than any command of a scene may take, on a very slow machine. Milliseconds. */
const COMMAND_MS = 30_000
/** "Nothing is silent": 2 s, and 1 s more for a machine that does other things too. Milliseconds. */
export const SEEN_MS = 3_000
/** "Status and folder agree within 1 s, the mirror too", and 1 s more for a busy machine. Milliseconds. */
export const AGREE_MS = 2_000
const LOOK_EVERY_MS = 10

/** `signal` is an AbortSignal: once it is given, whatever the scene does next throws `Interrupted`. */
export function makeStage({ root, desk, bin, paper, signal }) {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, DESK: desk }
  delete env.PENNY_ROOT
  // Fixes that alerts give begin with ${EDITOR:-vi}; each scene says what it edits with.
  delete env.EDITOR

  const goOn = () => {
    if (signal.aborted) throw new Interrupted()
  }

  /** Runs a line of shell and gives its status and output; `as` an agent: with its uid where it has one, in its home/. */
  async function run(line, { as, ownGroup = false } = {}) {
    goOn()
    const who = as && process.getuid() === 0 ? ownerOf(root, as) : {}
    const cwd = as ? join(root, 'workspaces', as, 'home') : root
    const child = spawn('sh', ['-c', line], { ...who, cwd, env: as ? { ...env, HOME: cwd } : env, stdio: ['ignore', 'pipe', 'pipe'], detached: ownGroup })
    let out = ''
    let all = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
      all += chunk
    })
    child.stderr.on('data', (chunk) => {
      all += chunk
    })
    // A command that the daemon outlives must not be cut off: it is the one that starts it.
    const bound = ownGroup ? undefined : setTimeout(() => child.kill('SIGKILL'), COMMAND_MS)
    const status = await new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve(code))
    })
    clearTimeout(bound)
    return { status, out, all }
  }

  const rest = []
  const stage = {
    root,
    /** The folder $DESK. */
    desk,
    /** What a scene leaves for the end, so that nobody waits for ten seconds to pass. Played after the last scene. */
    later: (play) => rest.push(play),
    rest,
    prose: paper.prose,
    checked: paper.checked,
    table: paper.table,
    alert: paper.alert,

    /** Prints a line as typed, runs it, prints what came out, and gives that. */
    async type(line, how = {}) {
      paper.typed(how.as, line)
      const { status, out, all } = await run(line, how)
      paper.output(all)
      goOn()
      stage.expect(status === 0, `\`${line}\` ended with status ${status}`)
      return out
    },

    run,

    expect(truth, sentence) {
      if (!truth) throw new Unexpected(sentence)
    },

    /** Looks until `look` gives something true; gives that and how long it took, counted from `since`. */
    async until(what, boundMs, look, since = performance.now()) {
      for (;;) {
        goOn()
        const seen = look()
        const ms = Math.round(performance.now() - since)
        if (seen) return { seen, ms }
        if (performance.now() - since > boundMs) throw new Unexpected(`this did not happen within ${boundMs / 1000} s: ${what}`)
        await pause(LOOK_EVERY_MS)
      }
    },

    /** Puts a letter on the desk, from where scenes copy. */
    write(name, lines) {
      writeFileSync(join(desk, name), `${lines.join('\n')}\n`, { mode: 0o644 })
    },

    /** The ids a holder has had so far, so that mail of an earlier demo is not taken for this one's. */
    idsOf: (holder) => new Set(lettersOf(root, holder).map(({ id }) => id)),

    /** A letter of that subject which is not among the known ids. */
    arrived: (holder, subject, known) => lettersOf(root, holder).find(({ id, head }) => head.subject === subject && !known.has(id)),

    letter: (holder, id) => lettersOf(root, holder).find((one) => one.id === id),
    mirror: (sender, id) => lettersOf(root, sender, ['sent']).find((one) => one.id === id),
    noteAbout: (holder, id, subject) => lettersOf(root, holder).find(({ head }) => head.in_reply_to === id && head.subject === subject),

    /** Takes away what an earlier demo that was cut off left held under this name: one alert stands for all of them. */
    clearHeld(code, file) {
      const end = `.${file.slice(0, -'.md'.length).toLowerCase()}`
      const left = readdirSync(join(root, 'spool/held')).filter((name) => name.startsWith(`${code}.`) && name.endsWith(end))
      for (const name of left) rmSync(join(root, 'spool/held', name))
    },

    /** An open alert of that code that names `about` and was seen after `when` (milliseconds). */
    alertOn: (code, about, when = 0) => openAlerts(root).find((one) => one.code === code && one.text.includes(about) && one.when >= when),
  }
  return stage
}
