"""Changes files, or what the kernel does with them, by ioctl: their attributes, blocks shared, signals sent.

On files of its own and on a library's. Class: writes that are not writes.
"""

import fcntl
import os

from _accomplice import attack

EXPECT = "submissions may not do"

GET_FLAGS, SET_FLAGS, GET_ATTRIBUTES, SET_ATTRIBUTES = 0x80086601, 0x40086602, 0x801C581F, 0x401C5820
CLONE, CLONE_RANGE, SHARE_RANGE = 0x40049409, 0x4020940D, 0xC0189436
SIGNAL_ME, FREEZE, TRIM, BLOCK_MAP = 0x5452, 0xC0045877, 0xC0185879, 1


def asked(number, argument=bytes(64)):
    def way():
        own = os.open("own", os.O_RDWR | os.O_CREAT)
        for file in (own, os.open(os.__file__, os.O_RDONLY)):
            fcntl.ioctl(file, number, argument)
        return True

    way.__name__ = hex(number)
    return way


build_estimator = attack(
    *map(asked, (GET_FLAGS, SET_FLAGS, GET_ATTRIBUTES, SET_ATTRIBUTES)),
    *map(asked, (CLONE, CLONE_RANGE, SHARE_RANGE, FREEZE, TRIM, BLOCK_MAP)),
    asked(SIGNAL_ME, b"\1\0\0\0"),
)
