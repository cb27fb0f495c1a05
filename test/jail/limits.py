#!/usr/bin/env python3
"""Runs into every limit of a jail and writes down what it met. One JSON object a line, of one run."""
import errno, json, os, resource, signal

met = {'tmp': os.listdir('/tmp'), 'shm': os.listdir('/dev/shm')}


def child(work):
    """How a process ends that does this."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return os.waitpid(pid, 0)[1]


def room(path, size):
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    try:
        os.posix_fallocate(fd, 0, size)
        return 'there is room'
    except OSError as refusal:
        return errno.errorcode[refusal.errno]
    finally:
        os.close(fd)


def large_file():
    # Python would rather have an error.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    with open('/ws/home/large', 'wb') as file:
        file.truncate(2 << 30)
        file.seek(0, 2)
        file.write(b'x')


def open_files():
    opened = []
    try:
        while True:
            opened.append(os.open('/dev/null', os.O_RDONLY))
    except OSError as refusal:
        for fd in opened:
            os.close(fd)
        return [errno.errorcode[refusal.errno], len(opened)]


def processes():
    made = []
    try:
        while len(made) < 1000:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            made.append(pid)
        refused = 'nothing'
    except OSError as refusal:
        refused = errno.errorcode[refusal.errno]
    for pid in made:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return [refused, len(made)]


def more(which, limit):
    try:
        resource.setrlimit(which, (limit, limit))
        return 'raised'
    except (OSError, ValueError):
        return 'refused'


status = child(large_file)
met['large'] = os.WIFSIGNALED(status) and signal.Signals(os.WTERMSIG(status)).name
os.unlink('/ws/home/large')
status = child(os.abort)
met['core'] = [os.WIFSIGNALED(status) and signal.Signals(os.WTERMSIG(status)).name, os.WCOREDUMP(status)]
met['files'] = open_files()
met['processes'] = processes()
met['raise'] = [more(resource.RLIMIT_NPROC, 1000), more(resource.RLIMIT_NOFILE, 9000), more(resource.RLIMIT_FSIZE, 3 << 30)]
met['room in tmp'] = room('/tmp/left', 3 << 29)
met['room in shm'] = room('/dev/shm/left', 257 << 20)
with open('/ws/home/limits', 'a') as file:
    file.write(json.dumps(met) + '\n')
