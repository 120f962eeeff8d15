"""Takes what all processes of the machine, or all of one user, have only so much of. Class: denial of service."""

import ctypes
import mmap
import os
import signal

from _accomplice import attack, call

EXPECT = "submissions may not do"

MAP_HUGETLB, MAP_LOCKED = 0x40000, 0x2000
MADV_MERGEABLE, MADV_PAGEOUT = 12, 21


def input_events():
    return call("io_setup", 65_536, ctypes.create_string_buffer(8)) == 0


def huge_pages():
    mmap.mmap(-1, 2**21, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB)
    return True


def mapped_and_locked():
    mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_LOCKED)
    return True


def locked():
    return call("mlockall", 2) == 0


def merged():
    memory = mmap.mmap(-1, 2**20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(MADV_MERGEABLE)
    return True


def evicted():
    with open(os.__file__, "rb") as library:
        mmap.mmap(library.fileno(), 0, prot=mmap.PROT_READ).madvise(MADV_PAGEOUT)
    return True


def watchers():
    return call("inotify_init1", 0)


def journal():
    return call("syslog", 2, ctypes.create_string_buffer(100), 100)


def pending_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    for _ in range(10_000):
        os.kill(os.getpid(), signal.SIGRTMIN)  # past the limit it succeeds, but the kernel keeps nothing of it
    with open("/proc/self/status") as status:
        queued = next(line.split()[1] for line in status if line.startswith("SigQ"))
    return int(queued.split("/")[0]) > 1000


build_estimator = attack(
    input_events, huge_pages, mapped_and_locked, locked, merged, evicted, watchers, journal, pending_signals
)
