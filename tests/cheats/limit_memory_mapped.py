"""Maps anonymous memory past every allocator, bit by bit. Class: a limit on memory."""

import mmap

from _accomplice import attack

EXPECT = "memory"


def mapped():
    held = []
    while True:
        held.append(mmap.mmap(-1, 2**25, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        held[-1].write(b"x" * 2**25)


build_estimator = attack(mapped)
