"""Seccomp through ctypes: which system calls this process may make.

A denylist, for what Landlock does not govern: the network, other processes, and changes to files other than their
content. The program is assembled by hand (https://docs.kernel.org/userspace-api/seccomp_filter.html). What needs a
capability is not listed: a worker has none. Standard library only, as ``landlock``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

from harness.isolation.syscalls import ARCHITECTURES, BY_ARGUMENT, NEWEST, REFUSED, UNKNOWN, WITHOUT_EFFECT, Table

_CLONE_FILES, _CLONE_THREAD = 0x400, 0x10000
_O_ACCMODE, _O_TRUNC = 0o3, 0o1000
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_FIOSETOWN, _SIOCSPGRP, _TIOCSTI = 0x8901, 0x8902, 0x5412
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_MAP_SHARED, _MAP_ANONYMOUS = 0x01, 0x20
_ALL_BITS = 0xFFFFFFFF

# struct seccomp_data: the number, the architecture, the instruction pointer, six arguments. Both architectures are
# little-endian, and the kernel takes only the lower half of every argument that is looked at here.
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16
_LOAD, _AND, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06

_KILL, _ALLOW = 0x80000000, 0x7FFF0000
_X32 = 0x40000000

_PR_SET_SECCOMP, _FILTER_MODE = 22, 2

Program = list[tuple[int, int, int, int]]


def is_known() -> bool:
    """Whether there are tables for this machine's architecture."""
    return sys.platform == "linux" and os.uname().machine in ARCHITECTURES


def restrict(*, cuda: bool) -> None:
    """Refuse, for this process and every later thread of it, the system calls that a worker does not need.

    Args:
        cuda: leave what NVIDIA's driver needs: shared memory without a file, for pinned pages.

    Raises:
        OSError: the kernel has no seccomp, or the architecture is not known.
    """
    if not is_known():
        raise OSError(errno.ENOSYS, f"there is no table of system calls for {os.uname().machine}")
    program = b"".join(struct.pack("HBBI", *line) for line in assemble(os.uname().machine, os.getpid(), cuda))
    lines = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER_MODE), header, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def assemble(machine: str, pid: int, cuda: bool) -> Program:
    """The filter for a process of this number on this machine."""
    refuse, unknown, pretend = (_answer(number) for number in (errno.EPERM, errno.ENOSYS, 0))
    program: Program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, ARCHITECTURES[machine].audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_GREATER_EQUAL, 0, 1, NEWEST + 1),
        (_RETURN, 0, 0, unknown),
    ]
    for table, answer in ((REFUSED, refuse), (UNKNOWN, unknown), (WITHOUT_EFFECT, pretend)):
        for number in _numbers(table, machine).values():
            program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)]
    itself, itself_or_zero, emptied = (pid,), (0, pid), (_O_TRUNC, _O_TRUNC | _O_ACCMODE)
    rules = {
        "kill": (0, itself, _ALLOW, refuse, _ALL_BITS),
        "tgkill": (0, itself, _ALLOW, refuse, _ALL_BITS),
        "prlimit64": (0, itself_or_zero, _ALLOW, refuse, _ALL_BITS),
        "sched_setaffinity": (0, itself_or_zero, _ALLOW, refuse, _ALL_BITS),
        "sched_setscheduler": (0, itself_or_zero, _ALLOW, refuse, _ALL_BITS),
        "sched_setparam": (0, itself_or_zero, _ALLOW, refuse, _ALL_BITS),
        "sched_setattr": (0, itself_or_zero, _ALLOW, refuse, _ALL_BITS),
        # A thread with descriptors of its own would keep files that the watchdog does not see.
        "clone": (0, (_CLONE_THREAD | _CLONE_FILES,), _ALLOW, refuse, _CLONE_THREAD | _CLONE_FILES),
        # Landlock's right to read is enough to open with O_RDONLY | O_TRUNC, or with mode 3, before its ABI 3.
        "open": (1, emptied, refuse, _ALLOW, _O_TRUNC | _O_ACCMODE),
        "openat": (2, emptied, refuse, _ALLOW, _O_TRUNC | _O_ACCMODE),
        # To outlive the grader, and to hide from its watchdog.
        "prctl": (0, (_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE), refuse, _ALLOW, _ALL_BITS),
        # These have the kernel send a signal of choice to a process of choice.
        "fcntl": (1, (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX), refuse, _ALLOW, _ALL_BITS),
        # Shared memory outlives its mapping, where neither a limit nor the watchdog can count it.
        "mmap": (3, () if cuda else (_MAP_SHARED | _MAP_ANONYMOUS,), refuse, _ALLOW, _MAP_SHARED | _MAP_ANONYMOUS),
        "ioctl": (1, (_FIOSETOWN, _SIOCSPGRP, _TIOCSTI), refuse, _ALLOW, _ALL_BITS),
    }
    for name, number in _numbers(BY_ARGUMENT, machine).items():
        program += _when(number, *rules[name])
    return [*program, (_RETURN, 0, 0, _ALLOW)]


def _when(number: int, argument: int, values: tuple[int, ...], then: int, otherwise: int, mask: int) -> Program:
    """For this system call: one answer if the argument, masked, is among the values, another if not."""
    tests = [(_JUMP_EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)]
    body = [
        (_LOAD, 0, 0, _ARGUMENT + 8 * argument),
        (_AND, 0, 0, mask),
        *tests,
        (_RETURN, 0, 0, otherwise),
        (_RETURN, 0, 0, then),
    ]
    return [(_JUMP_EQUAL, 0, len(body), number), *body]


def _numbers(table: Table, machine: str) -> dict[str, int]:
    column = ARCHITECTURES[machine].column
    return {name: number for name, columns in table.items() if (number := columns[column]) is not None}


def _answer(number: int) -> int:
    """Do nothing and return this error; 0 looks like success."""
    return 0x00050000 | number
