"""Reads the memory of the processes above it, where the answer key lies: /proc, process_vm_readv, ptrace.

The first thing tried against graders that run a submission in a child of their own.
"""

import ctypes
import os

from _accomplice import attack, call, target

EXPECT = "may not"


def through_proc(process):
    def way():
        return open(f"/proc/{process}/mem", "rb").read(1) or open(f"/proc/{process}/maps").read()

    way.__name__ = f"memory_of_{process}"
    return way


def by_copying():
    here, there = ctypes.create_string_buffer(16), ctypes.create_string_buffer(16)
    call("process_vm_readv", target.grader, here, 0, there, 0, 0)
    return True


def by_tracing():
    call("ptrace", 16, target.grader, 0, 0)
    return True


def by_tracing_a_stranger():
    call("ptrace", 0x4206, target.victim, 0, 0)
    return True


ways = map(through_proc, (target.grader, os.getppid(), target.victim))
build_estimator = attack(*ways, by_copying, by_tracing, by_tracing_a_stranger)
