"""Reads below the file system: memory, the kernel's core and log, disks, the terminal. Class: raw devices."""

import glob
import os

from _accomplice import attack

EXPECT = "may not open"


def device(path):
    def way():
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    way.__name__ = path
    return way


paths = ["/dev/kmsg", "/dev/mem", "/dev/port", "/proc/kcore", "/proc/kallsyms", "/dev/tty", "/dev/ptmx", "/dev/fuse"]
present = [path for path in paths if os.path.exists(path)]


def disks():
    return glob.glob("/dev/[svh]d*") or os.listdir("/dev")


build_estimator = attack(*map(device, present), disks)
