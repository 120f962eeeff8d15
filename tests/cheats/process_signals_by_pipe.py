"""Has the kernel send the signal: a pipe whose owner is another process. Class: confused deputy."""

import fcntl
import os
import signal
import struct

from _accomplice import attack, target

EXPECT = "submissions may not do"

F_SETSIG, F_SETOWN_EX, FIOSETOWN = 10, 15, 0x8901


def armed(set_owner):
    ours, theirs = os.pipe()
    set_owner(ours)
    fcntl.fcntl(ours, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)
    os.write(theirs, b"1")
    return True


def by_owner():
    return armed(lambda pipe: fcntl.fcntl(pipe, fcntl.F_SETOWN, target.victim))


def by_owner_of_a_kind():
    return armed(lambda pipe: fcntl.fcntl(pipe, F_SETOWN_EX, struct.pack("ii", 1, target.victim)))


def by_ioctl():
    return armed(lambda pipe: fcntl.ioctl(pipe, FIOSETOWN, struct.pack("i", target.victim)))


build_estimator = attack(by_owner, by_owner_of_a_kind, by_ioctl)
