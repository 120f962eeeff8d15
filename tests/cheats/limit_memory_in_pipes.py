"""Keeps bytes in pipes, in the kernel's memory, which no count of a process's own memory shows."""

import fcntl
import os

from _accomplice import attack

EXPECT = "graded"

F_SETPIPE_SZ = 1031
FAIR = 128 * 2**20


def filled():
    held, kept = 0, []
    try:
        while True:
            kept.append(os.pipe())
            try:
                fcntl.fcntl(kept[-1][1], F_SETPIPE_SZ, 2**20)
            except OSError:
                pass  # the kernel's own limit for one user: pipes are small from here on
            os.set_blocking(kept[-1][1], False)
            while True:
                try:
                    held += os.write(kept[-1][1], bytes(2**16))
                except BlockingIOError:
                    break
    except OSError:
        print(f"{held:,} bytes in {len(kept)} pipes")
        for each in kept:
            os.close(each[0]), os.close(each[1])
    return held > FAIR


build_estimator = attack(filled)
