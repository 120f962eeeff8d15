"""Fills memory that it shares with nobody by shared mappings, and drops its own view of the pages.

The pages stay, and no longer count as its own. Class: a limit on memory.
"""

import mmap
import time

from _accomplice import attack, target

EXPECT = "submissions may not do"

LIMITS = {"memory": 1_073_741_824}

PIECE = 2**26


def hidden():
    held = []
    for _ in range(target.memory // PIECE + 4):
        held.append(mmap.mmap(-1, PIECE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))
        held[-1].write(b"x" * PIECE)
        held[-1].madvise(mmap.MADV_DONTNEED)
    time.sleep(2)
    return all(piece[-1] == ord("x") for piece in held)


build_estimator = attack(hidden)
