"""Closes its own folder in /proc to processes without rights, then keeps removed files open. Class: disk bytes."""

import ctypes
import os
import time

from _accomplice import attack, target

EXPECT = "it wrote more than"

PR_SET_DUMPABLE = 4


def unseen():
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
    kept, size = [], 15 * 2**20
    for number in range(4):
        kept.append(open(str(number), "wb"))
        os.remove(str(number))
        kept[-1].write(bytes(size))
        kept[-1].flush()
    time.sleep(3)
    return len(kept) * size > target.disk


build_estimator = attack(unseen)
