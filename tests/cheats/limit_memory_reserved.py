"""Reserves address space far beyond its memory, without touching a page of it. Class: a limit on memory."""

import mmap

from _accomplice import attack

EXPECT = "it ran out of memory while training"


def reserved():
    return mmap.mmap(-1, 2**40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


build_estimator = attack(reserved)
