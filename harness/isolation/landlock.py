"""Landlock through ctypes: what this process, and every later thread of it, may open.

See https://docs.kernel.org/userspace-api/landlock.html. Landlock cannot be lifted, and it binds root too. It does not
hide that a file exists, and does not govern chmod, sockets other than TCP or, before ABI 3, truncation: ``seccomp``
refuses those. Standard library only, since it runs before anything else is imported.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _RULE_PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE, _IOCTL_DEV = (1 << bit for bit in (7, 8, 13, 14, 15))

READ = _READ_FILE | _READ_DIR
DEVICE = _READ_FILE | _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
"""Truncation means nothing to a device, but who writes a thread's name below /proc may open it so."""
WRITE = READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
"""Plain files and folders only: neither links nor pipes nor device nodes."""
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}  # ABI -> how many rights it knows; 4 brought the network only
_NETWORK_RIGHTS = 0b11  # bind and connect TCP, since ABI 4
_SCOPES = 0b11  # abstract unix sockets and signals, since ABI 6


def version() -> int:
    """The ABI of this kernel's Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, _syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG))


def restrict(grants: Iterable[tuple[str, int]], abi: int) -> None:
    """Take away every access to files that is not granted, TCP, and signals to other processes.

    Args:
        grants: a path and its rights, ``READ``, ``DEVICE`` or ``WRITE``; a folder's hold for all below it.
        abi: at most ``version()``; a lower one takes away less.

    Raises:
        OSError: the kernel refused, or a granted path does not exist.
    """
    handled = (1 << max(rights for since, rights in _FILE_RIGHTS.items() if since <= abi)) - 1
    attributes = struct.pack("QQQ", handled, _NETWORK_RIGHTS if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    # A kernel takes a longer structure than it knows as long as the rest is zero.
    ruleset = _checked(_syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for path, rights in grants:
            _grant(ruleset, path, rights & handled)
        _checked(_syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _grant(ruleset: int, path: str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _FOR_FILES
        _checked(_syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0))
    finally:
        os.close(descriptor)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return int(libc.syscall(ctypes.c_long(number), *words))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result
