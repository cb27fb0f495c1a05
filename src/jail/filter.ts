/**
 * The seccomp filter of a jail, as bytes of classic BPF (seccomp(2), linux/filter.h): everything is allowed but what reaches beyond
 * the jail or has no use but to attack the kernel. A second net: most of it is refused by the namespaces anyway; keyrings, AF_VSOCK,
 * the terminal's input queue, leases on what others open and the descriptors of the jail's first process are not.
 */

/** linux/audit.h; numbers of system calls from arch/x86/entry/syscalls/syscall_64.tbl and asm-generic/unistd.h. */
const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  x64: {
    audit: 0xc000003e,
    // Another table of numbers begins here (x32).
    foreignFrom: 0x40000000,
    clone: 56,
    socket: 41,
    ioctl: 16,
    fcntl: 72,
    attributes: { setxattr: 188, lsetxattr: 189, fsetxattr: 190 },
    refused: {
      ...{ ptrace: 101, syslog: 103, uselib: 134, modify_ldt: 154, pivot_root: 155, chroot: 161, acct: 163, mount: 165, umount2: 166, swapon: 167 },
      ...{ swapoff: 168, reboot: 169, sethostname: 170, setdomainname: 171, iopl: 172, ioperm: 173, init_module: 175, delete_module: 176 },
      ...{ quotactl: 179, kexec_load: 246, add_key: 248, request_key: 249, keyctl: 250, migrate_pages: 256, unshare: 272, move_pages: 279 },
      ...{ perf_event_open: 298, name_to_handle_at: 303, open_by_handle_at: 304, setns: 308, process_vm_readv: 310, process_vm_writev: 311 },
      ...{ kcmp: 312, finit_module: 313, kexec_file_load: 320, bpf: 321, userfaultfd: 323 },
    },
  },
  arm64: {
    audit: 0xc00000b7,
    foreignFrom: undefined,
    clone: 220,
    socket: 198,
    ioctl: 29,
    fcntl: 25,
    attributes: { setxattr: 5, lsetxattr: 6, fsetxattr: 7 },
    refused: {
      ...{ umount2: 39, mount: 40, pivot_root: 41, chroot: 51, quotactl: 60, acct: 89, unshare: 97, kexec_load: 104, init_module: 105 },
      ...{ delete_module: 106, syslog: 116, ptrace: 117, reboot: 142, sethostname: 161, setdomainname: 162, add_key: 217, request_key: 218 },
      ...{ keyctl: 219, swapon: 224, swapoff: 225, migrate_pages: 238, move_pages: 239, perf_event_open: 241, name_to_handle_at: 264 },
      ...{ open_by_handle_at: 265, setns: 268, process_vm_readv: 270, process_vm_writev: 271, kcmp: 272, finit_module: 273, bpf: 280 },
      ...{ userfaultfd: 282, kexec_file_load: 294 },
    },
  },
}

/** The same numbers everywhere. Programs that try these fall back to older calls when told that there are none. */
const MISSING = {
  ...{ io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432 },
  ...{ fspick: 433, clone3: 435, pidfd_getfd: 438, mount_setattr: 442, quotactl_fd: 443 },
}

/**
 * As on a file system that has none. An access list takes the right of readers away behind a mode that still shows it; flags (FS_IOC_SETFLAGS,
 * FS_IOC_FSSETXATTR, FS_IOC_ENABLE_VERITY, FS_IOC_SET_ENCRYPTION_POLICY) make each of the daemon's renames wait for the disk, or fail.
 */
const ATTRIBUTES = { setxattrat: 463, file_setattr: 469 }
const FLAGS = [0x40086602, 0x401c5820, 0x40806685, 0x800c6613]

type Architecture = Readonly<{
  audit: number
  foreignFrom: number | undefined
  clone: number
  socket: number
  ioctl: number
  fcntl: number
  attributes: Readonly<Record<string, number>>
  refused: Readonly<Record<string, number>>
}>

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h. */
const NEW_NAMESPACES = 0x7e020000
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: a jail's own. Others (AF_VSOCK: the machine around a virtual one) belong to no network namespace. */
const FAMILIES = [1, 2, 10, 16]
/** TIOCSTI and TIOCLINUX put words into the mouth of whoever sits at the terminal. */
const TERMINAL = [0x5412, 0x541c]
/** F_SETLEASE, F_SETDELEG: whoever opens a leased file waits up to 45 s. Where all have one uid, programs and mail of others can be leased. */
const LEASES = [1024, 1040]

const EPERM = 1
const ENOSYS = 38
const EOPNOTSUPP = 95
const EAFNOSUPPORT = 97

/** struct seccomp_data: nr, arch, instruction pointer, six arguments of 8 bytes, the low half first. */
const NUMBER = 0
const ARCH = 4
const argument = (i: number): number => 16 + 8 * i

const LOAD = 0x20
const IF_EQUAL = 0x15
const IF_AT_LEAST = 0x35
const IF_ANY_BIT = 0x45
const RETURN = 0x06
const ALLOW = 0x7fff0000
const refusal = (errno: number): number => 0x00050000 | errno

type Instruction = Readonly<{ code: number; jumpTrue: number; jumpFalse: number; value: number }>

const load = (value: number): Instruction => ({ code: LOAD, jumpTrue: 0, jumpFalse: 0, value })
const end = (value: number): Instruction => ({ code: RETURN, jumpTrue: 0, jumpFalse: 0, value })
/** Goes on with `then`, which ends, where the test holds; else with what follows it. */
const when = (code: number, value: number, then: readonly Instruction[]): Instruction[] => [{ code, jumpTrue: 0, jumpFalse: then.length, value }, ...then]

/** `processor`: Node's name for it. undefined: its numbers of system calls are not known here. */
export function filterFor(processor: string): Buffer | undefined {
  const here = ARCHITECTURES[processor]
  return here && assemble(programFor(here))
}

function programFor(here: Architecture): Instruction[] {
  const refused = (errno: number): Instruction[] => [end(refusal(errno))]
  return [
    load(ARCH),
    { code: IF_EQUAL, jumpTrue: 1, jumpFalse: 0, value: here.audit },
    ...refused(ENOSYS),
    load(NUMBER),
    ...(here.foreignFrom === undefined ? [] : when(IF_AT_LEAST, here.foreignFrom, refused(ENOSYS))),
    ...Object.values(here.refused).flatMap((number) => when(IF_EQUAL, number, refused(EPERM))),
    ...Object.values(MISSING).flatMap((number) => when(IF_EQUAL, number, refused(ENOSYS))),
    ...Object.values({ ...here.attributes, ...ATTRIBUTES }).flatMap((number) => when(IF_EQUAL, number, refused(EOPNOTSUPP))),
    ...when(IF_EQUAL, here.clone, [load(argument(0)), ...when(IF_ANY_BIT, NEW_NAMESPACES, refused(EPERM)), end(ALLOW)]),
    ...when(IF_EQUAL, here.socket, [load(argument(0)), ...FAMILIES.flatMap((family) => when(IF_EQUAL, family, [end(ALLOW)])), ...refused(EAFNOSUPPORT)]),
    ...when(IF_EQUAL, here.ioctl, [
      load(argument(1)),
      ...TERMINAL.flatMap((request) => when(IF_EQUAL, request, refused(EPERM))),
      ...FLAGS.flatMap((request) => when(IF_EQUAL, request, refused(EOPNOTSUPP))),
      end(ALLOW),
    ]),
    ...when(IF_EQUAL, here.fcntl, [load(argument(1)), ...LEASES.flatMap((command) => when(IF_EQUAL, command, refused(EPERM))), end(ALLOW)]),
    end(ALLOW),
  ]
}

/** struct sock_filter, in the byte order of all processors above. */
function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(({ code, jumpTrue, jumpFalse, value }, i) => {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(jumpTrue, i * 8 + 2)
    bytes.writeUInt8(jumpFalse, i * 8 + 3)
    bytes.writeUInt32LE(value, i * 8 + 4)
  })
  return bytes
}
