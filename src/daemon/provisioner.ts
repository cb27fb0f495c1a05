/** Makes every folder the organisation needs, and mends what deviates: whoever asks for it, one look mends and tells. */
import { addressable, type Config, holdersOf } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { agentRules, type Deviation, personRules, provision, type Rule, rootRules, spoolBoxRules, statOrNothing } from '../mailbox/index.ts'
import type { Clock, Log, Stat } from '../system/types.ts'
import type { Adoption } from './adoption.ts'
import { createGuides, type GuidesGiven } from './guides.ts'
import type { Watches } from './watches.ts'
import { createWorkspaceWatch } from './workspacewatch.ts'

export type Provisioner = Readonly<{
  /** Everything: at a start, and with each configuration. Returns the error of one that could not be made: it is told, and tried again. */
  all: () => Error | undefined
  /** Looks at the next few folders and guides; what somebody removed, replaced or locked is made right and told. */
  patrol: () => void
  /** Something happened to a workspace, a box or the root: it is looked at with the next patrol, however often this is said. */
  noticed: (top: string) => void
  /** At once, for who came upon something. True: it was found, and told. */
  holder: (name: Name) => boolean
  /** The folder in the spool of this name; one of nobody's is left alone. */
  box: (name: string) => boolean
  root: () => boolean
  guides: () => void
  /** A drop of the one user's from before there were walls: whatever lay in the spool was the postmaster's then. */
  ofBefore: (stat: Pick<Stat, 'uid' | 'ctimeMs'>) => boolean
}>

export type ProvisionerGiven = GuidesGiven & Readonly<{ clock: Clock; log: Log; watches: Watches; alertsLost: () => void; adopt: Adoption['begin'] }>

/** Folders that are looked at together; `top` is one that all of them lie in, or the first. */
type Place = Readonly<{ top: string; rules: readonly Rule[]; holder?: Name }>

/**
 * Looked at in one patrol, once a second: what was reported, so that it is told within 2 s (contract, page 5), and the next few, as a
 * report may have been lost. Where not every workspace is watched, all of thirty agents and their boxes: some 500 stats, 3 ms.
 */
const MOST_A_PATROL = 80
const NEXT_A_PATROL = 2
const PATROLS_A_ROUND = 100
/** An alert is open this long after its folder was found wrong the last time: who locks it again and again is told of once. */
const CALM_MS = 60_000

export function createProvisioner(given: ProvisionerGiven): Provisioner {
  const { clock, disk, layout, config } = given
  const guides = createGuides(given)
  /** Whose spool it was when the daemon began: an ordinary user's, where there were no walls before. */
  const builder = statOrNothing(disk, layout.spool)?.uid
  const begunMs = clock.now()
  /** Tops of places that were made: what is missing there now was taken away. */
  const made = new Set<string>()
  const told = new Map<string, { place: Place; lastMs: number }>()
  /** Folders whose own change says that one of the root's may be gone. */
  const parents = new Map([layout.root, layout.own, layout.spool].map((path) => [path, -1]))
  /** Of the folders that all others lie in. */
  const inodes = new Map<string, number>()
  const reported = new Set<string>()
  const noticed = (top: string): void => void reported.add(top)
  const watch = createWorkspaceWatch(given.watches.watch, noticed)
  let names: Readonly<{ of: Config; holders: readonly Name[]; boxes: readonly string[] }> | undefined
  let next = 0
  let refusal: Error | undefined

  const holderPlace = (name: Name): Place => ({
    top: layout.workspace(name),
    rules: config().agents.has(name) ? agentRules(layout, name) : personRules(layout, name),
    holder: name,
  })
  const boxPlace = (name: string): Place => ({ top: layout.spoolBox(name), rules: spoolBoxRules(layout, name) })
  /** Without policies/: who exchanges it by two renames must not find one of ours in its place. */
  const rootPlace = (): Place => ({ top: layout.root, rules: rootRules(layout).filter(({ path }) => path !== layout.policies) })

  function namesNow(): { holders: readonly Name[]; boxes: readonly string[] } {
    const of = config()
    if (names?.of !== of) names = { of, holders: holdersOf(of), boxes: addressable(of) }
    return names
  }

  function look(place: Place): boolean {
    const isNew = !made.has(place.top)
    made.add(place.top)
    const found = place.rules.flatMap((rule) => lookAt(rule, place.holder)).filter(({ kind }) => kind !== 'former')
    const lost = new Set(found.filter(({ kind, mended }) => kind === 'missing' || !mended).map(({ path }) => path))
    for (const { kind, path } of found) {
      if (kind === 'rights') continue
      given.pins.forget(path)
      if (path === layout.alerts) given.alertsLost()
    }
    // What lay in a folder that is told of went with it; and nothing is missing that was never made.
    const wrong = found.filter(({ path, kind }) => !(lost.has(path) && lost.has(parentOf(path))) && !(isNew && kind === 'missing'))
    for (const one of wrong) {
      if (one.mended) given.log('warn', 'a folder was not as it should be; mended', { path: one.path, found: one.what })
      // At a start another mode is perhaps one of before an upgrade.
      if (!isNew || one.kind === 'replaced' || !one.mended) tell(one, place)
    }
    return wrong.length > 0
  }

  /** One that cannot be mended keeps none of the others from it. */
  function lookAt(rule: Rule, holder: Name | undefined): Deviation[] {
    try {
      const found = provision(disk, [rule], given.identities().owners(holder), { builder, secret: given.ids.secret })
      if (found.some(({ kind }) => kind === 'former')) given.adopt(rule, holder)
      return found
    } catch (cause) {
      refusal ??= cause as Error
      return [{ kind: 'rights', path: rule.path, what: `cannot be made right (${String(cause)})`, mended: false }]
    }
  }

  function tell({ kind, path, what, mended, aside }: Deviation, place: Place): void {
    const about = shownOf(path)
    if (aside !== undefined) {
      const now = shownOf(aside)
      return given.raise({
        code: 'unsafe-file',
        about,
        sentence: `${about} ${what} before the daemon made it, who could have kept it open to read what others drop there. It is ${now} now; what lies in it is treated as in any folder of that name.`,
        fix: `ls -la ${shellWord(now)}`,
      })
    }
    told.set(about, { place, lastMs: clock.monotonic() })
    given.raise({
      code: 'unreadable-file',
      about,
      ...(place.holder === undefined ? {} : { agent: place.holder }),
      sentence:
        kind === 'missing'
          ? `The folder ${about} was removed or renamed; it was made again, empty. What lay in it is under its new name, or gone.`
          : `The folder ${about} ${what}; it ${mended ? 'was mended' : 'is tried again and again'}.`,
      fix: kind === 'missing' ? `ls -la ${shellWord(shownOf(parentOf(path)))}` : `ls -ld ${shellWord(about)}`,
    })
  }

  const shownOf = (path: string): string => (path === layout.root ? '.' : path.slice(layout.root.length + 1))

  /** One that cannot be looked at is taken for the one it was: whoever lists it tells of it. */
  function inodeOf(path: string): number {
    try {
      return statOrNothing(disk, path)?.ino ?? -1
    } catch {
      return inodes.get(path) ?? -1
    }
  }

  function root(): boolean {
    const { holders, boxes } = namesNow()
    const isAnother = (path: string): boolean => made.has(layout.root) && inodeOf(path) !== inodes.get(path)
    const within = [...(isAnother(layout.spool) ? boxes.map(boxPlace) : []), ...(isAnother(layout.workspaces) ? holders.map(holderPlace) : [])]
    // What went with it is told with it.
    for (const { top } of within) made.delete(top)
    const found = look(rootPlace())
    for (const path of [layout.spool, layout.workspaces]) inodes.set(path, inodeOf(path))
    for (const place of within) look(place)
    return found
  }

  function someRootFolderMoved(): boolean {
    let moved = false
    for (const [path, ctimeMs] of parents) {
      const now = statOrNothing(disk, path)?.ctimeMs ?? -1
      if (now === ctimeMs) continue
      parents.set(path, now)
      moved = true
    }
    return moved
  }

  function patrol(): void {
    guides.patrol()
    if (someRootFolderMoved()) root()
    const { holders, boxes } = namesNow()
    const places = 1 + holders.length + boxes.length
    let left = MOST_A_PATROL
    for (const top of reported) {
      if (left-- === 0) break
      reported.delete(top)
      lookAtTop(top)
    }
    const isWatched = watch.count() >= holders.length && !given.watches.isShort()
    const most = isWatched ? NEXT_A_PATROL : MOST_A_PATROL
    for (let left = Math.min(places, Math.max(most, Math.ceil(places / PATROLS_A_ROUND))); left > 0; left--) {
      const at = next++ % places
      const [holder, box] = [holders[at - 1], boxes[at - 1 - holders.length]]
      if (holder !== undefined) lookAtHolder(holder)
      else if (box !== undefined) look(boxPlace(box))
      else root()
    }
    for (const [about, one] of told) if (clock.monotonic() - one.lastMs >= CALM_MS) closeUnlessWrong(about, one.place)
  }

  function lookAtHolder(name: Name): boolean {
    const found = look(holderPlace(name))
    if (watch.follow(layout.workspace(name))) noticed(layout.workspace(name))
    return found
  }

  function lookAtTop(top: string): void {
    const name = top.slice(top.lastIndexOf('/') + 1)
    const { holders, boxes } = namesNow()
    if (top === layout.root) root()
    else if (top === layout.workspace(name) && holders.includes(name as Name)) lookAtHolder(name as Name)
    else if (top === layout.spoolBox(name) && boxes.includes(name)) look(boxPlace(name))
  }

  function closeUnlessWrong(about: string, place: Place): void {
    // Of a configuration that did not last: nobody needs it made.
    if (isOurs(place)) look(place)
    if (clock.monotonic() - (told.get(about)?.lastMs ?? 0) < CALM_MS) return
    told.delete(about)
    given.clear('unreadable-file', about)
  }

  function isOurs({ top, holder }: Place): boolean {
    const { holders, boxes } = namesNow()
    // While policies/ is away somebody may be exchanging it.
    if (top === layout.policies) return statOrNothing(disk, top) !== undefined
    return top === layout.root || (holder === undefined ? boxes.some((name) => layout.spoolBox(name) === top) : holders.includes(holder))
  }

  return {
    patrol,
    noticed,
    all: () => {
      const { holders, boxes } = namesNow()
      refusal = undefined
      look({ top: layout.policies, rules: rootRules(layout).filter(({ path }) => path === layout.policies) })
      root()
      for (const name of boxes) look(boxPlace(name))
      for (const name of holders) lookAtHolder(name)
      watch.keepOnly(new Set(holders.map(layout.workspace)))
      return refusal
    },
    holder: (name) => look(holderPlace(name)),
    box: (name) => namesNow().boxes.includes(name) && look(boxPlace(name)),
    root,
    guides: guides.all,
    ofBefore: ({ uid, ctimeMs }) => given.identities().mode === 'system' && uid === builder && ctimeMs <= begunMs,
  }
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
