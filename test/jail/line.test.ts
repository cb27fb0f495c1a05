import { createHash } from 'node:crypto'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { accountsText, groupsText, hostsText } from '../../src/jail/etc.ts'
import { enclose, faultOfHost, gatewayEnvironment, type Jail } from '../../src/jail/index.ts'
import { behind, shownAt } from '../../src/jail/places.ts'
import type { Host } from '../../src/system/host.ts'

const JAIL: Jail = {
  agent: 'legal' as Name,
  uid: 4001,
  gid: 4002,
  workspace: '/srv/acme/workspaces/legal',
  readOnly: ['/srv/acme/workspaces/legal/sent'],
  readable: [{ name: 'pmo' as Name, folders: ['/srv/acme/workspaces/pmo/new', '/srv/acme/workspaces/pmo/cur'] }],
  runners: '/srv/acme/.penny/runners/abc',
  mounts: [
    { from: '/srv/code', at: '/code', mode: 'ro' },
    { from: '/srv/out', at: '/out', mode: 'rw' },
  ],
  network: 'gateway',
  gateway: undefined,
  organisation: '/nowhere',
  writable: [],
  sameUid: true,
}
const HOST: Host = {
  bwrap: { path: '/usr/bin/bwrap', version: [0, 8] },
  links: [
    { name: 'bin', to: 'usr/bin' },
    { name: 'lib64', to: 'usr/lib64' },
  ],
  folders: [],
  program: [{ from: '/usr/local/bin/node', at: '/opt/pennypost/bin/node' }],
  processor: 'x64',
  filters: true,
}
/** Every folder is there. */
const LOOK = (): string => '2049:17'
const PROGRAM = { argv: ['/usr/bin/env'], env: { LANG: 'C' } }

/** The options as bwrap reads them from the descriptor that it is told. */
function optionsOf(jail: Jail, host: Host, program: Parameters<typeof enclose>[3] = PROGRAM): string[] {
  const { given } = enclose(jail, host, LOOK, program)
  return Buffer.from(given[0] ?? [])
    .toString()
    .split('\0')
    .slice(0, -1)
}

/** Whether these words stand there one after the other. */
function says(options: readonly string[], ...words: string[]): boolean {
  return options.some((_, i) => words.every((word, j) => options[i + j] === word))
}

const withBwrap = (major: number, minor: number): Host => ({ ...HOST, bwrap: { path: '/usr/bin/bwrap', version: [major, minor] } })

t.test('every jail has namespaces of its own, dies with who started it, and ends in a root that nobody can write', async (t) => {
  const options = optionsOf(JAIL, HOST)
  for (const word of ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-net', '--die-with-parent', '--new-session'])
    t.ok(options.includes(word), word)
  t.ok(options.includes('--disable-userns'))
  t.ok(says(options, '--hostname', 'legal'))
  t.ok(says(options, '--remount-ro', '/', '--chdir', '/ws/home'))
  t.ok(options.indexOf('--remount-ro') < options.lastIndexOf('--remount-ro'), '/dev and /')
})

t.test('the workspace is one writable mount with read-only ones over it, after it; what may be read is read-only, mounts as their file says', async (t) => {
  const options = optionsOf(JAIL, HOST)
  t.ok(says(options, '--bind', JAIL.workspace, '/ws', '--ro-bind', `${JAIL.workspace}/sent`, '/ws/sent'))
  t.ok(says(options, '--ro-bind-try', '/srv/acme/workspaces/pmo/new', '/org/pmo/new'))
  t.ok(says(options, '--ro-bind', '/srv/code', '/code'))
  t.ok(says(options, '--bind', '/srv/out', '/out'))
  t.same(
    options.filter((word) => word === '--bind'),
    ['--bind', '--bind'],
    'nothing else can be written',
  )
})

t.test('words of mounts and programs are words: none becomes an option of bubblewrap', async (t) => {
  const { argv, given } = enclose({ ...JAIL, mounts: [], readable: [] }, HOST, LOOK, { argv: ['--bind', '/', '/host'], env: {} })
  t.equal(argv[0], '/usr/bin/bwrap')
  const [first, second] = [argv.indexOf('--'), argv.lastIndexOf('--')]
  t.same(argv.slice(0, first), ['/usr/bin/bwrap', '--args', '4'])
  t.same(argv.slice(second + 1), ['--bind', '/', '/host'], 'after the last --')
  t.notOk(Buffer.from(given[0] ?? []).includes('/host\0'))
})

t.test('processes, files, their size and core files are limited before the program begins', async (t) => {
  const { argv } = enclose(JAIL, HOST, LOOK, PROGRAM)
  const limits = argv.slice(argv.indexOf('/usr/bin/prlimit'), argv.lastIndexOf('--'))
  t.same(limits, ['/usr/bin/prlimit', '--nproc=256:256', '--nofile=4096:4096', '--fsize=2147483648:2147483648', '--core=0:0'])
})

t.test('the environment is the one that was given, and nothing else', async (t) => {
  t.same(enclose(JAIL, HOST, LOOK, PROGRAM).env, { LANG: 'C' })
})

t.test('network: none and gateway have a network of their own; full alone has the machine’s, with its names', async (t) => {
  for (const network of ['none', 'gateway'] as const) {
    const options = optionsOf({ ...JAIL, network }, HOST)
    t.ok(options.includes('--unshare-net'), network)
    t.notOk(options.includes('/etc/resolv.conf'), network)
  }
  const full = optionsOf({ ...JAIL, network: 'full' }, HOST)
  t.notOk(full.includes('--unshare-net'))
  t.ok(says(full, '--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'))
})

t.test('a terminal is kept only where a filter keeps words from being put into it', async (t) => {
  const program = { ...PROGRAM, atTerminal: true }
  t.notOk(optionsOf(JAIL, HOST, program).includes('--new-session'))
  t.ok(optionsOf(JAIL, { ...HOST, filters: false }, program).includes('--new-session'), 'no filter in this kernel')
  t.ok(optionsOf(JAIL, { ...HOST, processor: 'riscv64' }, program).includes('--new-session'), 'no filter for this processor')
  t.ok(optionsOf(JAIL, HOST).includes('--new-session'), 'a run')
})

t.test('what bubblewrap reads comes on the descriptors that it is told, in that order', async (t) => {
  const { argv, given } = enclose(JAIL, HOST, LOOK, PROGRAM)
  const options = optionsOf(JAIL, HOST)
  t.ok(says(options, '--json-status-fd', '3'))
  t.ok(says([...argv], '--args', '4'))
  const onFd = (fd: string | undefined): string => Buffer.from(given[Number(fd) - 4] ?? []).toString('latin1')
  const fdOf = (path: string): string | undefined => options[options.indexOf(path) - 1]
  t.match(onFd(fdOf('/etc/passwd')), /^legal:x:4001:4002:/)
  t.match(onFd(fdOf('/etc/group')), /^legal:x:4002:/)
  t.match(onFd(fdOf('/etc/hosts')), /^127\.0\.0\.1 localhost legal\n/)
  t.match(onFd(fdOf('/etc/nsswitch.conf')), /^passwd: files\n/)
  const filter = options[options.indexOf('--seccomp') + 1]
  t.equal(Number(filter), 3 + given.length, 'the filter is the last')
  t.equal((given.at(-1)?.length ?? 1) % 8, 0)
})

t.test('older bubblewraps get the options that they know, and are refused where that leaves a hole', async (t) => {
  const seven = optionsOf(JAIL, withBwrap(0, 7))
  t.ok(seven.includes('--size') && !seven.includes('--disable-userns'), '0.7')
  for (const minor of [5, 6]) {
    const options = optionsOf(JAIL, withBwrap(0, minor))
    t.notOk(options.includes('--size') || options.includes('--disable-userns'), `0.${minor}`)
    t.ok(options.includes('--seccomp'), 'the filter refuses nested user namespaces')
    t.equal(faultOfHost(withBwrap(0, minor)), undefined)
    t.match(faultOfHost({ ...withBwrap(0, minor), filters: false }), /^bubblewrap 0\.\d cannot keep user namespaces from being nested/)
    t.match(faultOfHost({ ...withBwrap(0, minor), processor: 'riscv64' }), /no seccomp filter for riscv64 does; 0\.8 or newer is needed$/)
  }
  t.match(faultOfHost(withBwrap(0, 4)), 'bubblewrap 0.4 is too old; 0.5 or newer is needed')
  for (const [major, minor] of [
    [0, 8],
    [0, 11],
    [1, 0],
  ] as const) {
    t.equal(faultOfHost({ ...withBwrap(major, minor), filters: false }), undefined, `${major}.${minor}`)
    t.ok(optionsOf(JAIL, withBwrap(major, minor)).includes('--disable-userns'), `${major}.${minor}`)
  }
  t.equal(faultOfHost({ ...HOST, bwrap: undefined }), 'bubblewrap (bwrap) is not installed')
  t.throws(() => enclose(JAIL, { ...HOST, bwrap: undefined }, LOOK, PROGRAM), 'and nothing is started without')
})

t.test('/tmp and /dev/shm are private, and bounded where bubblewrap can', async (t) => {
  const options = optionsOf(JAIL, HOST)
  t.ok(says(options, '--size', String(1024 ** 3), '--perms', '1777', '--tmpfs', '/tmp'))
  t.ok(says(options, '--size', String(256 * 1024 ** 2), '--perms', '1777', '--tmpfs', '/dev/shm'))
})

t.test('where /bin and /lib are folders of their own they are shown, read-only', async (t) => {
  const options = optionsOf(JAIL, { ...HOST, links: [], folders: ['bin', 'lib'] })
  t.ok(says(options, '--ro-bind', '/bin', '/bin') && says(options, '--ro-bind', '/lib', '/lib'))
  t.notOk(options.includes('usr/bin'))
  t.ok(says(optionsOf(JAIL, HOST), '--symlink', 'usr/bin', '/bin'))
})

t.test('without a readable installation there is no penny inside, and the rest of the jail is the same', async (t) => {
  t.ok(says(optionsOf(JAIL, HOST), '--symlink', '../dist/cli/penny.js', '/opt/pennypost/bin/penny'))
  const without = optionsOf(JAIL, { ...HOST, program: [] })
  t.notOk(without.some((word) => word.endsWith('penny.js')))
  t.ok(says(without, '--remount-ro', '/'))
})

t.test('accounts are made up: the agent, nobody, and root where the agent is not root itself', async (t) => {
  t.equal(
    accountsText(JAIL),
    'legal:x:4001:4002:legal:/ws/home:/bin/sh\nroot:x:0:0:root:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n',
  )
  t.equal(accountsText({ ...JAIL, uid: 0 }), 'legal:x:0:4002:legal:/ws/home:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n')
  t.equal(groupsText(JAIL), 'legal:x:4002:\nroot:x:0:\nnogroup:x:65534:\n')
  t.equal(groupsText({ ...JAIL, gid: 0 }), 'legal:x:0:\nnogroup:x:65534:\n')
  t.match(hostsText(JAIL), /^::1 localhost/m)
})

t.test('a path of the workspace ⇄ where the jail shows it; of anything else there is no such place', async (t) => {
  t.equal(shownAt(JAIL, `${JAIL.workspace}/cur/x.md`), '/ws/cur/x.md')
  t.equal(shownAt(JAIL, JAIL.workspace), '/ws')
  for (const path of ['/srv/acme/workspaces/legal2/cur/x.md', '/srv/acme/workspaces', '/etc/passwd']) t.throws(() => shownAt(JAIL, path), path)
  t.equal(behind(JAIL, '/ws/home/x'), `${JAIL.workspace}/home/x`)
  t.equal(behind(JAIL, '/code/bin/x'), '/srv/code/bin/x')
  t.equal(behind(JAIL, '/opt/runners/x.sh'), `${JAIL.runners}/x.sh`)
  t.equal(behind(JAIL, '/usr/bin/env'), '/usr/bin/env')
  for (const path of ['/codex/x', '/srv/code/x', '/etc/passwd', '/var/x', '/usrx']) t.equal(behind(JAIL, path), undefined, path)
})

t.test('of two mounts, one in the other, the inner one is what shows, in whatever order they are written', async (t) => {
  const inner = { from: '/srv/tools', at: '/code/tools', mode: 'ro' } as const
  for (const mounts of [
    [inner, ...JAIL.mounts],
    [...JAIL.mounts, inner],
  ]) {
    t.equal(behind({ ...JAIL, mounts }, '/code/tools/x'), '/srv/tools/x')
    const options = optionsOf({ ...JAIL, mounts }, HOST)
    t.ok(options.indexOf('/code') < options.indexOf('/code/tools'), 'the outer one comes first, or it would hide the inner one')
  }
})

t.test("others' folders that are no folders just now are not shown; the program begins only where the others are the ones that were looked at", async (t) => {
  const look = (path: string): string | undefined => (path.endsWith('/new') ? '2049:17' : undefined)
  const { argv, given } = enclose(JAIL, HOST, look, PROGRAM)
  const options = Buffer.from(given[0] ?? []).toString()
  t.ok(options.includes('/org/pmo/new') && !options.includes('/org/pmo/cur'))
  const words = argv.slice(argv.lastIndexOf('/bin/sh'))
  t.equal(words[4], createHash('sha256').update('/org/pmo/new 2049:17\n').digest('hex'))
  t.same(words.slice(5), PROGRAM.argv)
  const nobody = enclose(JAIL, HOST, () => undefined, PROGRAM)
  t.notOk(nobody.argv.includes('/bin/sh'), 'nothing is shown, nothing is looked at')
})

t.test('with a gateway the folder of its socket is shown, read-only, and a forwarder is started before a program that may ask a model', async (t) => {
  const jail = { ...JAIL, sameUid: false, gateway: '/srv/acme/.penny/sockets/legal' }
  t.ok(says(optionsOf(jail, HOST), '--ro-bind-try', jail.gateway, '/run/gateway', '--symlink', 'gateway/gateway.sock', '/run/gateway.sock'))
  const words = (one: Jail, program: Parameters<typeof enclose>[3] = PROGRAM, host = HOST): string[] => {
    const { argv } = enclose(one, host, LOOK, program)
    return argv.slice(argv.lastIndexOf('--') + 1)
  }
  const [shell, option, script, ...rest] = words(jail)
  t.same([shell, option, ...rest], ['/bin/sh', '-c', 'sh', '/usr/bin/env'])
  t.match(script, /\/opt\/pennypost\/dist\/jail\/forwarder\.cjs 8787 \/run\/gateway\.sock /)
  t.same(words(jail, { ...PROGRAM, alone: true }), ['/usr/bin/env'], 'true(1), to see whether a jail can be made, asks none')
  t.same(words(jail, PROGRAM, { ...HOST, program: [] }), ['/usr/bin/env'], 'there is no node for it')
  t.same(words({ ...jail, gateway: undefined }), ['/usr/bin/env'])
  t.notOk(optionsOf({ ...jail, gateway: undefined }, HOST).some((word) => word.includes('gateway')))
  t.same(gatewayEnvironment({ gateway: undefined }), {})
  t.same(gatewayEnvironment(jail), {
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:8787',
    ANTHROPIC_API_KEY: 'pennypost',
    ANTHROPIC_AUTH_TOKEN: 'pennypost',
    PENNY_GATEWAY: '/run/gateway.sock',
  })
})
