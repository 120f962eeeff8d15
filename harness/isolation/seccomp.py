"""Seccomp through ctypes: which system calls this process may make.

Lays down ``policy`` in the kernel, for what Landlock does not govern: the network, other processes, memory that the
kernel holds, and changes to files other than their content. The program is assembled by hand
(https://docs.kernel.org/userspace-api/seccomp_filter.html). Standard library only, as ``landlock``.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import struct
import sys

from harness.isolation import policy
from harness.isolation.policy import ALLOW, GO_ON, PRETEND, REFUSE, UNKNOWN, UNSUPPORTED, Check
from harness.isolation.syscalls import ARCHITECTURES, NUMBERS, numbers

# struct seccomp_data: the number, the architecture, the instruction pointer, six arguments. Both architectures are
# little-endian, and the kernel takes only the lower half of every argument that is looked at here.
_NUMBER, _ARCHITECTURE, _ARGUMENT = 0, 4, 16
_LOAD, _AND, _JUMP, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x06

_KILL, _NOTIFY, _ERRNO = 0x80000000, 0x7FC00000, 0x00050000
_RETURNS = {
    ALLOW: 0x7FFF0000,
    REFUSE: _ERRNO | errno.EPERM,
    UNKNOWN: _ERRNO | errno.ENOSYS,
    UNSUPPORTED: _ERRNO | errno.EOPNOTSUPP,
    PRETEND: _ERRNO,
}
_X32 = 0x40000000
_TRIED_FIRST = ("clone3", "vfork")
"""Calls that no trace need name: each thread and process is started by ``clone`` when they are refused."""

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8

Program = list[tuple[int, int, int, int]]


def is_known() -> bool:
    """Whether there are tables for this machine's architecture."""
    return sys.platform == "linux" and os.uname().machine in ARCHITECTURES


def restrict(*, cuda: bool, listener: int | None = None) -> int | None:
    """Leave this process and every later thread of it the system calls that a worker needs.

    Args:
        cuda: leave what NVIDIA's driver needs, too.
        listener: the number of a socket; where it is given, a call that is not allowed waits for a listener's answer,
            and messages may be sent on that socket. For a trace only.

    Returns:
        the descriptor to listen on, if a listener was asked for.

    Raises:
        OSError: the kernel has no seccomp, or the architecture is not known.
    """
    if not is_known():
        raise OSError(errno.ENOSYS, f"there is no table of system calls for {os.uname().machine}")
    machine = os.uname().machine
    program = b"".join(struct.pack("HBBI", *line) for line in assemble(machine, os.getpid(), cuda, listener))
    lines = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(lines))
    flags = 0 if listener is None else _NEW_LISTENER
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(word) for word in (_SECCOMP[machine], _SET_MODE_FILTER, flags)]
    result = int(libc.syscall(*words, header))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")
    return None if listener is None else result


def assemble(machine: str, pid: int, cuda: bool, listener: int | None = None) -> Program:
    """The filter for a process of this number on this machine; see `restrict`.

    Calls that are judged by their arguments come first: the kernel itself remembers those that are always allowed.
    """
    returns = dict(_RETURNS)
    rules = policy.rules(pid, cuda)
    if listener is not None:
        returns[REFUSE] = returns[UNKNOWN] = _NOTIFY
        rules["sendmsg"] = (Check(0, (listener,), ALLOW, REFUSE),)
    program: Program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, ARCHITECTURES[machine].audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER_EQUAL, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for name, number in numbers(rules, machine).items():
        body = [line for check in rules[name] for line in _asked(check, returns)]
        program += [(_JUMP_EQUAL, 0, len(body), number), *body]
    for names, reply in (
        (policy.ALLOWED, ALLOW),
        (policy.PRETENDED, PRETEND),
        (policy.ABSENT, UNKNOWN),
        (policy.UNSUPPORTED_HERE, UNSUPPORTED),
    ):
        for number in sorted(numbers(names, machine).values()):
            program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, returns[reply])]
    for name, number in numbers(_TRIED_FIRST, machine).items():
        program += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _RETURNS[policy.answer(name, number)])]
    for first, end in _gaps(machine):
        program += [
            (_JUMP_GREATER_EQUAL, 0, 2, first),
            (_JUMP_GREATER_EQUAL, 1, 0, end),
            (_RETURN, 0, 0, returns[UNKNOWN]),
        ]
    program += [(_JUMP_GREATER_EQUAL, 0, 1, policy.FIRST_ABSENT), (_RETURN, 0, 0, returns[UNKNOWN])]
    return [*program, (_RETURN, 0, 0, returns[REFUSE])]


def _asked(check: Check, returns: dict[str, int]) -> Program:
    """One check: load the argument, compare it, and two lines that answer or jump past the check's end."""
    last = len(check.values)
    tests = [(_JUMP_EQUAL, last - position, 0, value) for position, value in enumerate(check.values)]
    answers = [
        (_JUMP, 0, 0, 1 - position) if reply == GO_ON else (_RETURN, 0, 0, returns[reply])
        for position, reply in enumerate((check.otherwise, check.then))
    ]
    return [(_LOAD, 0, 0, _ARGUMENT + 8 * check.argument), (_AND, 0, 0, check.mask), *tests, *answers]


def _gaps(machine: str) -> list[tuple[int, int]]:
    """Ranges of numbers below the absent ones that no call has: from the first to the one past the last."""
    known = sorted(numbers(NUMBERS, machine).values())
    return [
        (before + 1, after)
        for before, after in itertools.pairwise(known)
        if after - before > 1 and after <= policy.FIRST_ABSENT
    ]
