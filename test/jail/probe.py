#!/usr/bin/python3
"""Tries to get out of where it runs, in every way it knows. One JSON object a line: {"way": …, "open": true|false, "what": …}.

probe.py TARGETS.json: what lies outside, so that getting at it can be told from a door that merely looks open.
"""
import ctypes, errno, glob, json, os, signal, socket, stat, struct, subprocess, sys

targets = json.load(open(sys.argv[1]))
libc = ctypes.CDLL(None, use_errno=True)
SECRET = targets['secret']
NUMBERS = {
    'x86_64': dict(ptrace=101, keyctl=250, add_key=248, request_key=249, unshare=272, setns=308, bpf=321, perf_event_open=298, userfaultfd=323,
                   io_uring_setup=425, open_by_handle_at=304, init_module=175, kexec_load=246, clone=56, clone3=435, mount=165, umount2=166,
                   pivot_root=155, chroot=161, reboot=169, process_vm_readv=310, fsopen=430, open_tree=428, swapon=167, syslog=103),
    'aarch64': dict(ptrace=117, keyctl=219, add_key=217, request_key=218, unshare=97, setns=268, bpf=280, perf_event_open=241, userfaultfd=282,
                    io_uring_setup=425, open_by_handle_at=265, init_module=105, kexec_load=104, clone=220, clone3=435, mount=40, umount2=39,
                    pivot_root=41, chroot=51, reboot=142, process_vm_readv=270, fsopen=430, open_tree=428, swapon=224, syslog=116),
}[os.uname().machine]


def tell(way, is_open, what=''):
    print(json.dumps({'way': way, 'open': bool(is_open), 'what': str(what)[:300]}), flush=True)


def attempt(way, work):
    """Open when `work` returns something true; any refusal closes it."""
    try:
        found = work()
        tell(way, found, found or 'nothing there')
    except (OSError, ValueError, subprocess.SubprocessError) as refusal:
        tell(way, False, refusal)


def call(name, *arguments):
    """A system call; its result, or OSError."""
    ctypes.set_errno(0)
    result = libc.syscall(NUMBERS[name], *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f'{name} returned {result}'


def in_child(work):
    """What `work` says in a process of its own: some doors change who opens them."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = work() or ''
        except OSError as refusal:
            text = f'!{refusal}'
        os.write(writing, str(text).encode())
        os._exit(0)
    os.close(writing)
    text = os.read(reading, 4096).decode()
    os.close(reading)
    os.waitpid(pid, 0)
    if text.startswith('!'):
        raise OSError(text[1:])
    return text


def text_of(path):
    with open(path, 'rb') as file:
        return file.read(1 << 20)


def strange_processes():
    own = os.getuid()
    found = []
    for entry in glob.glob('/proc/[0-9]*'):
        for part in ('environ', 'cmdline'):
            try:
                if SECRET.encode() in text_of(f'{entry}/{part}'):
                    found.append(f'{entry}/{part}')
            except OSError:
                pass
    return found


def connects(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(2)
        one.connect(address)
        if kind == socket.SOCK_DGRAM:
            one.send(b'x')
        return f'connected to {address!r}'


def can_write(folder):
    path = os.path.join(folder, f'.probe-{os.getpid()}')
    with open(path, 'x'):
        pass
    os.unlink(path)
    return f'wrote in {folder}'


def sysv_memory():
    found = libc.shmget(targets['shm_key'], 0, 0)
    return f'segment {found}' if found >= 0 else ''


def block_device():
    path = '/ws/home/probe-device' if os.path.isdir('/ws/home') else './probe-device'
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(254, 0))
    os.unlink(path)
    return 'made a block device'


def more_rights():
    status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
    held = [key for key in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb') if int(status[key], 16)]
    return [*held, *([] if status['NoNewPrivs'].strip() == '1' else ['no_new_privs is off'])]


def set_user_id():
    """Programs of root's that give root's rights to whoever starts them."""
    for path in ('/usr/bin/su', '/usr/bin/mount', '/usr/bin/newgrp', '/usr/bin/passwd', '/usr/bin/chsh'):
        if os.path.exists(path) and os.stat(path).st_mode & stat.S_ISUID:
            # What it is while it runs says /proc: a set-uid program waits for its terminal or ends.
            child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                uids = [line for line in open(f'/proc/{child.pid}/status') if line.startswith('Uid:')][0].split()[1:]
            except OSError:
                uids = []
            child.kill()
            child.wait()
            if '0' in uids and os.getuid() != 0:
                return f'{path} ran with uids {uids}'
    return ''


def limits():
    import resource as r
    wanted = {r.RLIMIT_NPROC: 256, r.RLIMIT_NOFILE: 4096, r.RLIMIT_FSIZE: 2 << 30, r.RLIMIT_CORE: 0}
    return [f'{which}: {r.getrlimit(which)}' for which, most in wanted.items() if r.getrlimit(which)[1] not in range(0, most + 1)]


def descriptors():
    own = set(map(int, os.listdir('/proc/self/fd')))
    return [f'{fd} -> {os.readlink(f"/proc/self/fd/{fd}")}' for fd in sorted(own) if fd > 2 and os.path.exists(f'/proc/self/fd/{fd}')]


def first_of_jail():
    """Descriptors of the first process that lead out of here."""
    found = []
    for name in os.listdir('/proc/1/fd'):
        to = os.readlink(f'/proc/1/fd/{name}')
        if to.startswith('/') and not to.startswith('/dev/') or 'socket' in to:
            found.append(f'{name} -> {to}')
    return [one for one in found if int(one.split()[0]) > 2]


def limits_of_first():
    """Who can write the memory of bwrap, which has no limits, has none."""
    with open('/proc/1/mem', 'r+b'):
        return 'the memory of the first process can be written'


def descriptors_of_first():
    """By what bwrap's first process holds an agent would say for it how the run ended."""
    pidfd_open, pidfd_getfd = 434, 438
    first = libc.syscall(pidfd_open, 1, 0)
    taken = [libc.syscall(pidfd_getfd, first, fd, 0) for fd in range(3, 64)]
    os.close(first)
    return [os.readlink(f'/proc/self/fd/{fd}') for fd in taken if fd >= 0]


def leases():
    """Whoever opens what is leased waits: programs of others, too, where all have one uid."""
    import fcntl
    path = os.path.join(os.environ.get('HOME', '.'), f'.probe-lease-{os.getpid()}')
    open(path, 'x').close()
    fd = os.open(path, os.O_RDONLY)
    os.unlink(path)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        return 'a file can be leased'
    finally:
        os.close(fd)


def own_file(work):
    path = os.path.join(os.environ.get('HOME', '.'), f'.probe-own-{os.getpid()}')
    open(path, 'x').close()
    try:
        return work(path)
    finally:
        os.unlink(path)


def access_list(path):
    """Its readers have no right any more, and the mode shows one."""
    entries = [(1, 7), (4, 0), (0x10, 5), (0x20, 0)]
    os.setxattr(path, 'system.posix_acl_access', struct.pack('<I', 2) + b''.join(struct.pack('<HHI', tag, bits, 0xffffffff) for tag, bits in entries))
    return f'mode {os.stat(path).st_mode & 0o777:o}, and its group may do nothing'


def file_flags(path):
    """Written through: whoever renames in such a folder waits for the disk."""
    import fcntl
    FS_IOC_SETFLAGS, FS_SYNC_FL = 0x40086602, 8
    with open(path) as file:
        fcntl.ioctl(file, FS_IOC_SETFLAGS, struct.pack('i', FS_SYNC_FL))
    return 'a flag was set'


def interfaces():
    names = [line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]]
    return [name for name in names if name != 'lo']


def in_terminal():
    import fcntl, termios
    for fd in (0, 1, 2):
        if os.isatty(fd):
            fcntl.ioctl(fd, termios.TIOCSTI, b'x')
            return 'wrote into the terminal'
    return ''


def keys():
    KEYCTL_GET_KEYRING_ID, KEYCTL_SEARCH, SESSION = 0, 10, -3
    return call('keyctl', KEYCTL_GET_KEYRING_ID, SESSION, 0)


def nested(name):
    return in_child(lambda: call('unshare', {'user': 0x10000000, 'net': 0x40000000, 'mnt': 0x20000, 'pid': 0x20000000}[name]))


def clone_user():
    return in_child(lambda: call('clone', 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0))


def clone3_user():
    arguments = struct.pack('8Q', 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    return in_child(lambda: call('clone3', arguments, len(arguments)))


def ptrace_of(pid):
    SEIZE = 0x4206  # unlike ATTACH it stops nobody
    return in_child(lambda: call('ptrace', SEIZE, pid, 0, 0))


# Processes of others
attempt('processes', strange_processes)
attempt('signal', lambda: os.kill(targets['pid'], 0) or 'the process outside can be signalled')
attempt('ptrace', lambda: ptrace_of(targets['pid']))
attempt('ptrace-first', lambda: ptrace_of(1))
attempt('memory-of-others', lambda: text_of(f'/proc/{targets["pid"]}/environ'))
attempt('root-of-others', lambda: os.listdir(f'/proc/{targets["pid"]}/root'))
attempt('first-process', first_of_jail)
attempt('memory-of-first', limits_of_first)
attempt('memory-of-first-task', lambda: open('/proc/1/task/1/mem', 'r+b') and 'the memory of the first process can be written')
attempt('descriptors-of-first', descriptors_of_first)
attempt('leases', leases)
attempt('access-list', lambda: own_file(access_list))
attempt('file-flags', lambda: own_file(file_flags))
attempt('descriptors', lambda: [one for one in descriptors() if not one.endswith('/fd')])

# Files of others
for name, path in targets['paths'].items():
    attempt(f'path-{name}', lambda path=path: os.path.lexists(path) and f'{path} is there')
    attempt(f'read-{name}', lambda path=path: os.listdir(path) if os.path.isdir(path) else text_of(path))
attempt('tmp', lambda: [name for name in os.listdir('/tmp')])
attempt('root-dot-dot', lambda: any(os.path.lexists(f'/proc/1/root{path}') for path in targets['paths'].values()))
attempt('environment', lambda: [key for key, value in os.environ.items() if SECRET in value or key not in targets['environment']])

# What processes share
attempt('shared-memory', lambda: os.path.exists(targets['shm_file']) and targets['shm_file'])
attempt('sysv-memory', sysv_memory)
attempt('message-queue', lambda: os.listdir('/dev/mqueue'))
attempt('abstract-socket', lambda: connects(socket.AF_UNIX, '\0' + targets['abstract']))
attempt('path-socket', lambda: connects(socket.AF_UNIX, targets['socket']))
attempt('loopback', lambda: connects(socket.AF_INET, ('127.0.0.1', targets['port'])))
attempt('loopback-6', lambda: connects(socket.AF_INET6, ('::1', targets['port'])))
attempt('network', lambda: connects(socket.AF_INET, ('192.0.2.1', 9), socket.SOCK_DGRAM))
attempt('interfaces', interfaces)
attempt('vsock', lambda: socket.socket(40, socket.SOCK_STREAM, 0) and 'a socket of the machine around this one')
attempt('packet', lambda: socket.socket(17, socket.SOCK_RAW, 0) and 'a raw socket')
attempt('keyring', keys)
attempt('add-key', lambda: call('add_key', b'user', b'probe', b'x', 1, -3))
attempt('request-key', lambda: call('request_key', b'user', targets['key'].encode(), None, 0))
attempt('terminal', in_terminal)

# More rights
attempt('capabilities', more_rights)
attempt('set-user-id', set_user_id)
for name in ('user', 'net', 'mnt', 'pid'):
    attempt(f'unshare-{name}', lambda name=name: nested(name))
attempt('clone-user', clone_user)
attempt('clone3-user', clone3_user)
for name in ('user', 'mnt', 'net', 'pid', 'ipc'):
    attempt(f'setns-{name}', lambda name=name: in_child(lambda: call('setns', os.open(f'/proc/1/ns/{name}', os.O_RDONLY), 0)))
attempt('remount', lambda: call('mount', b'none', b'/', None, 32 | 4096, None))
attempt('umount', lambda: call('umount2', b'/ws/sent', 2))
attempt('chroot', lambda: in_child(lambda: call('chroot', b'/tmp')))
attempt('device', block_device)
for name in ('bpf', 'perf_event_open', 'userfaultfd', 'io_uring_setup', 'open_by_handle_at', 'init_module', 'kexec_load', 'process_vm_readv', 'fsopen', 'open_tree', 'swapon', 'syslog'):
    attempt(name, lambda name=name: call(name, 3 if name == 'syslog' else 0, 0, 0, 0, 0))
attempt('limits', limits)

# Writing outside
for folder in ('/', '/etc', '/usr', '/usr/local', '/usr/bin', '/opt', '/opt/runners', '/opt/pennypost', '/opt/pennypost/dist', '/org', '/run', '/dev', '/var/tmp',
               '/ws/sent', '/ws/attachments', '/ws/runs', *targets['closed']):
    attempt(f'write-{folder}', lambda folder=folder: can_write(folder))
attempt('sysctl', lambda: open('/proc/sys/kernel/core_pattern', 'w') and 'the kernel would start a program of ours')
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w') and 'can restart the machine')
attempt('sys', lambda: os.listdir('/sys'))
attempt('link-of-usr', lambda: os.link('/usr/bin/env', 'probe-link') or 'a second name for a file of the machine')
tell('end', False)
