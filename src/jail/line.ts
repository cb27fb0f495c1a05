/** The command line of bubblewrap (bwrap(1)) for one program in one jail. */
import { basename } from 'node:path'
import { type Host, PROGRAM_AT } from '../system/host.ts'
import { accountsText, groupsText, hostsText, NAMES_TEXT, OF_ETC, OF_ETC_ONLINE } from './etc.ts'
import { filterFor } from './filter.ts'
import { forwarderWords, gatewayOptions } from './gateway.ts'
import { guard, type Look } from './guard.ts'
import type { Jail } from './jail.ts'
import { HOME_AT, outerFirst, READABLE_AT, RUNNERS_AT, shownAt, WORKSPACE_AT } from './places.ts'

/** Page 5: limits on processes, files, file size; a core file would hold what was in memory. Processes are counted per jail (kernel ≥ 5.14). */
const LIMITS = ['--nproc=256:256', '--nofile=4096:4096', '--fsize=2147483648:2147483648', '--core=0:0']
/** Memory that /tmp may take, and /dev/shm. Bytes. */
const TMP_BYTES = 1024 ** 3
const SHARED_MEMORY_BYTES = 256 * 1024 ** 2
/** Its --disable-userns; before that the filter alone keeps user namespaces from being nested. */
const DISABLES_USERNS = [0, 8] as const
const KNOWS_SIZE = [0, 7] as const
/** The oldest whose options these are (--perms). */
export const LEAST_BWRAP = [0, 5] as const

/** Where programs look for programs. */
export const JAIL_PATH = `${PROGRAM_AT}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`

/** A program to be started: its words, and what bwrap reads on the descriptors after that of its status. */
export type Enclosed = Readonly<{ argv: readonly string[]; env: Readonly<Record<string, string>>; given: readonly Uint8Array[] }>

export type Program = Readonly<{
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  /** It talks to a person's terminal: job control needs the session that the terminal belongs to. */
  atTerminal?: boolean
  /** It asks no model: nothing is started beside it. */
  alone?: boolean
}>

/** First descriptor after the standard ones: there bwrap(1) says, as JSON, whether the program was started and how it ended; what it reads comes on the next ones. */
const STATUS_FD = 3
const ARGS_FD = STATUS_FD + 1
const FIRST_FILE_FD = ARGS_FD + 1

/** `look`: at folders of others, just now. */
export function enclose(jail: Jail, host: Host, look: Look, program: Program): Enclosed {
  const { bwrap } = host
  const { readable, words } = guard(jail, look)
  if (!bwrap) throw new Error('there is no bubblewrap')
  const filter = host.filters ? filterFor(host.processor) : undefined
  const files = [
    { at: '/etc/passwd', text: accountsText(jail) },
    { at: '/etc/group', text: groupsText(jail) },
    { at: '/etc/hosts', text: hostsText(jail) },
    { at: '/etc/nsswitch.conf', text: NAMES_TEXT },
  ]
  const sized = (bytes: number): string[] => (isAtLeast(bwrap.version, KNOWS_SIZE) ? ['--size', String(bytes)] : [])
  const folder = (at: string): string[] => ['--perms', '0755', '--dir', at]
  const options = [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--die-with-parent'],
    ...(isAtLeast(bwrap.version, DISABLES_USERNS) ? ['--disable-userns'] : []),
    ...(jail.network === 'full' ? [] : ['--unshare-net']),
    ...(program.atTerminal && filter ? [] : ['--new-session']),
    ...['--hostname', jail.agent],
    ...['--json-status-fd', String(STATUS_FD)],
    ...(filter ? ['--seccomp', String(FIRST_FILE_FD + files.length)] : []),
    ...['--ro-bind', '/usr', '/usr'],
    ...host.links.flatMap(({ name, to }) => ['--symlink', to, `/${name}`]),
    ...host.folders.flatMap((name) => ['--ro-bind', `/${name}`, `/${name}`]),
    ...folder('/etc'),
    ...[...OF_ETC, ...(jail.network === 'full' ? OF_ETC_ONLINE : [])].flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...files.flatMap(({ at }, i) => ['--perms', '0444', '--ro-bind-data', String(FIRST_FILE_FD + i), at]),
    // The first process is bwrap itself, with the program's ids and without its limits: who could write its memory would have none.
    ...['--proc', '/proc', '--perms', '0555', '--tmpfs', '/proc/1', '--remount-ro', '/proc/1'],
    ...['--dev', '/dev', ...sized(SHARED_MEMORY_BYTES), '--perms', '1777', '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...[...sized(TMP_BYTES), '--perms', '1777', '--tmpfs', '/tmp'],
    ...[...folder('/run'), ...folder('/opt'), ...folder(PROGRAM_AT), ...folder(`${PROGRAM_AT}/bin`), ...folder(READABLE_AT)],
    // While it is exchanged for a newer one, runs that do not call it go on.
    ...host.program.flatMap(({ from, at }) => ['--ro-bind-try', from, at]),
    ...(host.program.length > 0 ? ['--symlink', '../dist/cli/penny.js', `${PROGRAM_AT}/bin/penny`] : []),
    ...['--ro-bind', jail.runners, RUNNERS_AT],
    ...['--bind', jail.workspace, WORKSPACE_AT],
    ...jail.readOnly.flatMap((path) => ['--ro-bind', path, shownAt(jail, path)]),
    ...readable.flatMap(({ name, folders }) => [
      ...folder(`${READABLE_AT}/${name}`),
      ...folders.flatMap((path) => ['--ro-bind-try', path, `${READABLE_AT}/${name}/${basename(path)}`]),
    ]),
    ...gatewayOptions(jail),
    ...outerFirst(jail.mounts).flatMap(({ from, at, mode }) => [mode === 'rw' ? '--bind' : '--ro-bind', from, at]),
    ...['--remount-ro', '/', '--chdir', HOME_AT],
  ]
  return {
    // Whoever looks at the jail's first process, from inside, need not see the paths of the machine.
    argv: [
      bwrap.path,
      '--args',
      String(ARGS_FD),
      '--',
      '/usr/bin/prlimit',
      ...LIMITS,
      '--',
      ...words,
      ...(program.alone ? [] : forwarderWords(jail, host)),
      ...program.argv,
    ],
    env: program.env,
    given: [options.map((word) => `${word}\0`).join(''), ...files.map(({ text }) => text), ...(filter ? [filter] : [])].map((one) => Buffer.from(one)),
  }
}

function isAtLeast([major, minor]: readonly [number, number], [leastMajor, leastMinor]: readonly [number, number]): boolean {
  return major > leastMajor || (major === leastMajor && minor >= leastMinor)
}

/** Debian's and Ubuntu's; elsewhere the package has the same name. */
export const INSTALL_BWRAP = 'sudo apt-get install bubblewrap'

/** Why no jail can be made on this machine, as far as that can be told without trying; undefined: try. */
export function faultOfHost({ bwrap, filters, processor }: Host): string | undefined {
  if (!bwrap) return 'bubblewrap (bwrap) is not installed'
  const version = bwrap.version.join('.')
  if (!isAtLeast(bwrap.version, LEAST_BWRAP)) return `bubblewrap ${version} is too old; ${LEAST_BWRAP.join('.')} or newer is needed`
  if (!isAtLeast(bwrap.version, DISABLES_USERNS) && !(filters && filterFor(processor)))
    return `bubblewrap ${version} cannot keep user namespaces from being nested, and no seccomp filter for ${processor} does; ${DISABLES_USERNS.join('.')} or newer is needed`
  return undefined
}
