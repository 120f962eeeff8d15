"""Fills huge pages and gives back all but a few bytes of each, which keeps the whole of it from the machine.

Class: a limit on memory.
"""

import ctypes
import mmap
import time
from pathlib import Path

from _accomplice import attack, target

EXPECT = ""  # Without huge pages nothing is kept; a cgroup counts those that are, and ends it.

LIMITS = {"memory": 1_073_741_824, "seconds": 20}

HUGE, HUGEPAGE = 2**21, 14
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p


def available():
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) * 1024


def kept():
    before, pieces = available(), 64
    private, everything = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE
    for _ in range(2 * target.memory // HUGE // pieces):
        start = libc.mmap(None, ctypes.c_size_t((pieces + 1) * HUGE), everything, private, -1, ctypes.c_long(0))
        start = -(-start // HUGE) * HUGE
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(pieces * HUGE), HUGEPAGE)
        ctypes.memset(start, ord("x"), pieces * HUGE)
        for page in range(pieces):
            second = start + page * HUGE + mmap.PAGESIZE  # the second small page, and all behind it
            libc.munmap(ctypes.c_void_p(second), ctypes.c_size_t(HUGE - mmap.PAGESIZE))
    time.sleep(1)
    return before - available() > 1.5 * target.memory


build_estimator = attack(kept)
