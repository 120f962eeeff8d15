"""What the machine loses while a worker runs, of which no count of the worker's own says that it is the worker's.

Memory can be held by the kernel on behalf of a process. The machine's own figures show that something is missing, but
not to whom it went: other programs run besides, other workers too. So the worker is stopped for a moment, several
times; only if the loss stops with it every time, it is to blame. In doubt it is not: this is the last line, for
machines without cgroups, and it misses what is taken slowly or has stopped growing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from harness.isolation.limits import MIB
from harness.isolation.processes import anonymous

_SPELL = 0.03  # seconds that the worker runs, and then stands still
_SPELLS = 3
_IN_USE = ("Active(anon)", "Inactive(anon)", "Unevictable", "SUnreclaim", "KernelStack", "PageTables", "Percpu")
"""Memory of programs, files in memory among it, and the kernel's own."""
_STEP = 8 * MIB  # What is lost in a spell has to differ by more: the machine's figures waver.


class Loss:
    """How much is gone since a worker started.

    Args:
        used: how many bytes the machine has in use.
        limit: how many the worker may take.
    """

    def __init__(self, used: Callable[[], int], limit: int) -> None:
        self._used = used
        self._start = used()
        self._limit = self._bar = limit

    def is_caused(self, seen: int, stopped: Callable[[], AbstractContextManager[None]]) -> bool:
        """Whether more is gone than the worker may take, and by this worker.

        Args:
            seen: bytes that the worker is known to have, and that ``used`` does not count.
            stopped: keeps the worker from running while it is entered.
        """
        gone = seen + self._used() - self._start
        if gone <= self._bar:
            return False
        if all(self._grows_by() - self._grows_by(stopped) > _STEP for _ in range(_SPELLS)):
            return True
        self._bar = gone + self._limit // 8  # not this worker's: do not stop it again for the same
        return False

    def _grows_by(self, stopped: Callable[[], AbstractContextManager[None]] | None = None) -> int:
        if stopped is not None:
            with stopped():
                return self._grows_by()
        before = self._used()
        time.sleep(_SPELL)
        return self._used() - before


def unseen_memory() -> int:
    """Bytes of memory that are in use and belong to no process that can be seen; Linux only, else 0."""
    return used_memory() - anonymous() if sys.platform == "linux" else 0


def used_memory() -> int:
    """Bytes of memory that cannot be had back while they are in use; Linux only, else 0.

    Added up, and not what MemAvailable lacks: a virtual machine may be given more memory the moment some is taken.
    """
    return sum(_memory().get(name, 0) for name in _IN_USE)


def available_memory() -> int:
    """Bytes of memory that programs can still be given; Linux only, else 0."""
    return _memory().get("MemAvailable", 0)


def used_space(folder: Path) -> int:
    """Bytes in use on the file system of a folder."""
    about = os.statvfs(folder)
    return (about.f_blocks - about.f_bfree) * about.f_frsize


def _memory() -> dict[str, int]:
    """What /proc/meminfo says, in bytes."""
    if sys.platform != "linux":
        return {}
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {name.rstrip(":"): int(value) * 1024 for name, value, *unit in lines if unit}
