"""Fills shared mappings and unmaps all but a page of each: what was written stays, and no mapping shows its size.

Class: a limit on memory.
"""

import ctypes
import mmap
import time

from _accomplice import attack, target

EXPECT = "submissions may not do"

LIMITS = {"memory": 1_073_741_824}

PIECE = 2**26

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = libc.mremap.restype = ctypes.c_void_p


def unmapped():
    pages = []
    for _ in range(target.memory // PIECE + 4):
        pages.append(piece())
        ctypes.memset(pages[-1], ord("x"), PIECE)
        libc.munmap(ctypes.c_void_p(pages[-1] + mmap.PAGESIZE), ctypes.c_size_t(PIECE - mmap.PAGESIZE))
    time.sleep(2)
    return all(last_byte(page) == b"x" for page in pages)


def piece():
    shared, readable = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE
    address = libc.mmap(None, ctypes.c_size_t(PIECE), readable, shared, -1, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise PermissionError(ctypes.get_errno(), "Operation not permitted")
    return address


def last_byte(page):
    may_move = 1
    whole = libc.mremap(ctypes.c_void_p(page), ctypes.c_size_t(mmap.PAGESIZE), ctypes.c_size_t(PIECE), may_move)
    return ctypes.string_at(whole + PIECE - 1, 1)


build_estimator = attack(unmapped)
