"""Ends its first thread and holds the memory in another: the process then looks dead, and its memory reads as none.

Class: a limit on memory.
"""

import ctypes
import os
import threading
import time

from _accomplice import attack, call, target

EXPECT = "it needed more memory than its limit"

LIMITS = {"memory": 1_073_741_824, "seconds": 12}

PIECE, SYS_EXIT = 2**25, {"x86_64": 60, "aarch64": 93}


def held():
    kept = []
    time.sleep(0.5)
    for _ in range(int(2.2 * target.memory) // PIECE):
        kept.append(ctypes.create_string_buffer(PIECE))
        ctypes.memset(kept[-1], ord("x"), PIECE)
    time.sleep(60)


def alone():
    threading.Thread(target=held).start()
    call(SYS_EXIT[os.uname().machine], 0)


build_estimator = attack(alone)
