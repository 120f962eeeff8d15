"""Leaves bytes behind for a partner in what processes share: /dev/shm, named semaphores, SysV. Class: collusion."""

import os
from multiprocessing import shared_memory

from _accomplice import attack, call, target

EXPECT = "may not open"

CREATE = 0o1666


def a_file():
    with open(f"/dev/shm/{target.mark}", "w") as file:
        file.write("answers")
    return True


def a_segment():
    return shared_memory.SharedMemory(f"{target.mark}2", create=True, size=4096)


def a_lock():
    import _multiprocessing

    return _multiprocessing.SemLock(1, 1, 1, f"/{target.mark}3", False)


def a_sysv_segment():
    call("shmget", target.key, 4096, CREATE)
    return True


def a_sysv_semaphore():
    call("semget", target.key, 1, CREATE)
    return True


def an_unlinked_folder():
    os.mkdir(f"/dev/shm/{target.mark}4")
    return True


build_estimator = attack(a_file, a_segment, a_lock, a_sysv_segment, a_sysv_semaphore, an_unlinked_folder)
