"""Removes and closes what it has written but keeps one page of each mapped: no folder and no descriptor shows it."""

import mmap
import os
import time

from _accomplice import attack, target

EXPECT = "it wrote more than"


def mapped():
    kept, size = [], 15 * 2**20
    for number in range(4):
        with open(str(number), "wb+") as file:
            file.write(bytes(size))
            file.flush()
            handle = os.dup(file.fileno())
            kept.append(map_one_page(handle))
            os.close(handle)
        os.remove(str(number))
    time.sleep(3)
    return len(kept) * size > target.disk


def map_one_page(handle):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)  # Python's own mmap keeps a descriptor
    libc.mmap.restype = ctypes.c_void_p
    return libc.mmap(None, ctypes.c_size_t(mmap.PAGESIZE), mmap.PROT_READ, mmap.MAP_SHARED, handle, ctypes.c_long(0))


build_estimator = attack(mapped)
