#!/usr/bin/env python3
"""Does what it can to outlive its run: leaves group and session, ignores SIGTERM, takes its name off, is many. Each part beats."""
import os, signal, subprocess, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)


def beat(name):
    while True:
        with open(f'/ws/home/beat-{name}', 'a') as file:
            file.write('x')
        time.sleep(0.02)


for name in ('one', 'two'):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            beat(name)
        os._exit(0)
# One without a word in its environment that says whose it is.
subprocess.Popen(['/usr/bin/env', '-i', '/bin/sh', '-c', "trap '' TERM; while :; do echo x >> /ws/home/beat-bare; /bin/sleep 0.02; done"], start_new_session=True)
for _ in range(100):
    if os.fork() == 0:
        while True:
            signal.pause()
open('/ws/home/started', 'a').write('x')
beat('first')
