import t from 'tap'
import { filterFor } from '../../src/jail/filter.ts'

const AUDIT = { x64: 0xc000003e, i386: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 }
const ALLOWED = 'allowed'
const [EPERM, ENOSYS, EOPNOTSUPP, EAFNOSUPPORT] = [1, 38, 95, 97]

/** From linux/unistd.h of each processor: [x64, arm64]; undefined: there is none of that name. */
const REFUSED: Readonly<Record<string, readonly [number, number | undefined]>> = {
  ...{ ptrace: [101, 117], process_vm_readv: [310, 270], process_vm_writev: [311, 271], kcmp: [312, 272] },
  ...{ keyctl: [250, 219], add_key: [248, 217], request_key: [249, 218] },
  ...{ unshare: [272, 97], setns: [308, 268], mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41], chroot: [161, 51] },
  ...{ open_by_handle_at: [304, 265], name_to_handle_at: [303, 264] },
  ...{ bpf: [321, 280], perf_event_open: [298, 241], userfaultfd: [323, 282], syslog: [103, 116] },
  ...{ init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106], kexec_load: [246, 104], kexec_file_load: [320, 294] },
  ...{ reboot: [169, 142], swapon: [167, 224], swapoff: [168, 225], acct: [163, 89], quotactl: [179, 60] },
  ...{ sethostname: [170, 161], setdomainname: [171, 162], move_pages: [279, 239], migrate_pages: [256, 238] },
  ...{ iopl: [172, undefined], ioperm: [173, undefined], modify_ldt: [154, undefined], uselib: [134, undefined] },
}
/** One number everywhere: calls that programs do without when they hear that there are none. */
const MISSING = {
  ...{ io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, clone3: 435, pidfd_getfd: 438 },
  ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433, mount_setattr: 442, quotactl_fd: 443 },
}
/** Access lists, and what else a file may have beside its mode. */
const UNSUPPORTED: Readonly<Record<string, readonly [number, number]>> = {
  ...{ setxattr: [188, 5], lsetxattr: [189, 6], fsetxattr: [190, 7], setxattrat: [463, 463], file_setattr: [469, 469] },
}
const ORDINARY: Readonly<Record<string, readonly [number, number]>> = {
  ...{ read: [0, 63], write: [1, 64], openat: [257, 56], execve: [59, 221], futex: [202, 98], mmap: [9, 222], exit_group: [231, 94] },
  ...{ socketpair: [53, 199], connect: [42, 203], bind: [49, 200], kill: [62, 129], prlimit64: [302, 261], memfd_create: [319, 279] },
  ...{ inotify_init1: [294, 26], epoll_create1: [291, 20], getrandom: [318, 278], statx: [332, 291], seccomp: [317, 277] },
}
const SAME_ORDINARY = { pidfd_open: 434, close_range: 436, openat2: 437, faccessat2: 439, landlock_create_ruleset: 444 }
const OF_PROCESSOR = {
  x64: { at: 0, clone: 56, socket: 41, ioctl: 16, fcntl: 72, foreign: AUDIT.i386 },
  arm64: { at: 1, clone: 220, socket: 198, ioctl: 29, fcntl: 25, foreign: AUDIT.arm },
} as const

const NAMESPACES = { mnt: 0x00020000, cgroup: 0x02000000, uts: 0x04000000, ipc: 0x08000000, user: 0x10000000, pid: 0x20000000, net: 0x40000000 }

type Call = Readonly<{ arch: number; number: number; arguments?: readonly bigint[] }>

/** What the kernel does with the program (linux/filter.h): `allowed`, or the errno. Throws at what seccomp would not take. */
function evaluate(program: Buffer, call: Call): typeof ALLOWED | number {
  const data = Buffer.alloc(64)
  data.writeUInt32LE(call.number >>> 0, 0)
  data.writeUInt32LE(call.arch, 4)
  for (const [i, value] of (call.arguments ?? []).entries()) data.writeBigUInt64LE(value, 16 + 8 * i)
  let accumulator = 0
  for (let at = 0; at < program.length / 8; at++) {
    const code = program.readUInt16LE(at * 8)
    const [jumpTrue, jumpFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)]
    const value = program.readUInt32LE(at * 8 + 4)
    const jump = (holds: boolean): void => {
      at += holds ? jumpTrue : jumpFalse
    }
    switch (code) {
      case 0x20:
        accumulator = data.readUInt32LE(value)
        break
      case 0x15:
        jump(accumulator === value)
        break
      case 0x35:
        jump(accumulator >= value)
        break
      case 0x45:
        jump((accumulator & value) !== 0)
        break
      case 0x06:
        if (value === 0x7fff0000) return ALLOWED
        if (value >>> 16 === 0x0005) return value & 0xffff
        throw new Error(`instruction ${at} ends with ${value.toString(16)}`)
      default:
        throw new Error(`instruction ${at} has code ${code}`)
    }
  }
  throw new Error('ran off its end')
}

for (const processor of ['x64', 'arm64'] as const) {
  const here = OF_PROCESSOR[processor]
  const program = filterFor(processor) ?? Buffer.alloc(0)
  const on = (number: number, ...given: (number | bigint)[]): typeof ALLOWED | number =>
    evaluate(program, { arch: AUDIT[processor], number, arguments: given.map(BigInt) })

  t.test(`${processor}: what reaches beyond the jail is refused, each call with the error that programs understand`, async (t) => {
    t.ok(program.length > 0 && program.length % 8 === 0 && program.length / 8 <= 4096, 'the kernel takes at most 4096 instructions')
    for (const [name, numbers] of Object.entries(REFUSED)) {
      const number = numbers[here.at]
      if (number !== undefined) t.equal(on(number), EPERM, name)
    }
    for (const [name, number] of Object.entries(MISSING)) t.equal(on(number), ENOSYS, name)
    for (const [name, numbers] of Object.entries(UNSUPPORTED)) t.equal(on(numbers[here.at]), EOPNOTSUPP, name)
  })

  t.test(`${processor}: ordinary calls pass, and nothing but the named ones is refused`, async (t) => {
    for (const [name, numbers] of Object.entries(ORDINARY)) t.equal(on(numbers[here.at]), ALLOWED, name)
    for (const [name, number] of Object.entries(SAME_ORDINARY)) t.equal(on(number), ALLOWED, name)
    const named = [...Object.values({ ...REFUSED, ...UNSUPPORTED }).map((numbers) => numbers[here.at]), ...Object.values(MISSING), here.socket]
    const strange = Array.from({ length: 600 }, (_, number) => number).filter((number) => !named.includes(number) && on(number) !== ALLOWED)
    t.same(strange, [])
  })

  t.test(`${processor}: a new process may be made, a new namespace not`, async (t) => {
    const SIGCHLD = 17
    const THREAD = 0x003d0f00
    t.equal(on(here.clone, SIGCHLD), ALLOWED, 'fork')
    t.equal(on(here.clone, THREAD), ALLOWED, 'a thread')
    t.equal(on(here.clone, 0x4000 | 0x100 | SIGCHLD), ALLOWED, 'vfork')
    for (const [name, flag] of Object.entries(NAMESPACES)) {
      t.equal(on(here.clone, flag | SIGCHLD), EPERM, name)
      t.equal(on(here.clone, (1n << 40n) | BigInt(flag)), EPERM, `${name}, with bits that the kernel does not look at`)
    }
  })

  t.test(`${processor}: sockets are of families that belong to a network namespace`, async (t) => {
    for (const [name, family] of Object.entries({ unix: 1, inet: 2, inet6: 10, netlink: 16 })) t.equal(on(here.socket, family, 1, 0), ALLOWED, name)
    for (let family = 0; family < 64; family++) if (![1, 2, 10, 16].includes(family)) t.equal(on(here.socket, family, 1, 0), EAFNOSUPPORT, `family ${family}`)
    t.equal(on(here.socket, (1n << 32n) | 40n, 1, 0), EAFNOSUPPORT, 'vsock, with a high half that the kernel does not look at')
  })

  t.test(`${processor}: no words are put into the mouth of who sits at the terminal`, async (t) => {
    const [TCGETS, TIOCSTI, TIOCGWINSZ, TIOCLINUX] = [0x5401, 0x5412, 0x5413, 0x541c]
    for (const request of [TCGETS, TIOCGWINSZ]) t.equal(on(here.ioctl, 0, request), ALLOWED)
    for (const request of [TIOCSTI, TIOCLINUX]) {
      t.equal(on(here.ioctl, 0, request), EPERM)
      t.equal(on(here.ioctl, 0, (1n << 32n) | BigInt(request)), EPERM, 'with a high half that the kernel does not look at')
    }
    t.equal(on(here.ioctl, TIOCSTI, TCGETS), ALLOWED, 'it is the second argument that counts')
  })

  t.test(`${processor}: flags of files stay as they are`, async (t) => {
    const [FS_IOC_GETFLAGS, FICLONE] = [0x80086601, 0x40049409]
    for (const request of [FS_IOC_GETFLAGS, FICLONE]) t.equal(on(here.ioctl, 0, request), ALLOWED)
    const setting = { FS_IOC_SETFLAGS: 0x40086602, FS_IOC_FSSETXATTR: 0x401c5820, FS_IOC_ENABLE_VERITY: 0x40806685, FS_IOC_SET_ENCRYPTION_POLICY: 0x800c6613 }
    for (const [name, request] of Object.entries(setting)) t.equal(on(here.ioctl, 0, request), EOPNOTSUPP, name)
  })

  t.test(`${processor}: nobody is made to wait for a lease`, async (t) => {
    const [F_GETFL, F_SETLK, F_SETLEASE, F_GETLEASE, F_DUPFD_CLOEXEC, F_SETDELEG] = [3, 6, 1024, 1025, 1030, 1040]
    for (const command of [F_GETFL, F_SETLK, F_GETLEASE, F_DUPFD_CLOEXEC]) t.equal(on(here.fcntl, 0, command), ALLOWED)
    for (const command of [F_SETLEASE, F_SETDELEG]) {
      t.equal(on(here.fcntl, 0, command, 1), EPERM)
      t.equal(on(here.fcntl, 0, (1n << 32n) | BigInt(command), 1), EPERM, 'with a high half that the kernel does not look at')
    }
    t.equal(on(here.fcntl, F_SETLEASE, F_GETFL), ALLOWED, 'it is the second argument that counts')
  })

  t.test(`${processor}: calls by another processor's numbers find nothing`, async (t) => {
    for (const arch of [here.foreign, 0, 0xffffffff, AUDIT[processor === 'x64' ? 'arm64' : 'x64']])
      for (const number of [0, 11, here.clone, 425]) t.equal(evaluate(program, { arch, number }), ENOSYS, `${arch.toString(16)}: ${number}`)
  })
}

t.test('x64: the numbers of x32 find nothing', async (t) => {
  const program = filterFor('x64') ?? Buffer.alloc(0)
  for (const number of [0x40000000, 0x40000000 + 101, 0x40000000 + 521, 0xffffffff]) t.equal(evaluate(program, { arch: AUDIT.x64, number }), ENOSYS)
  t.equal(evaluate(program, { arch: AUDIT.x64, number: 0x3fffffff }), ALLOWED)
})

t.test('a processor whose numbers are not known has no filter, rather than a wrong one', async (t) => {
  for (const processor of ['ia32', 'arm', 'riscv64', 'ppc64', 's390x', '']) t.equal(filterFor(processor), undefined, processor)
})
