"""What a worker may use up: the kernel's own limits, and those that the watchdog measures."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, field
from typing import Literal

from harness.units import format_bytes, format_seconds

KIB, MIB, GIB = 2**10, 2**20, 2**30
_STACK, _ARENA = 8 * MIB, 64 * MIB  # of a thread, by glibc's defaults

Limit = Literal["time", "memory", "disk", "files", "printed", "threads"]
"""Which limit ended a worker."""


def usable_cores() -> int:
    """CPU cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@dataclass(frozen=True)
class Limits:
    """How much one worker may use.

    Attributes:
        seconds: wall clock, from the start of its interpreter.
        memory: bytes of main memory that its processes hold together.
        disk: bytes that it holds in files.
        files: how many files and folders it may make.
        printed: bytes on stdout and stderr together.
        threads: how many its processes have together; the libraries start several per core.
        cores: CPU cores that its libraries spread over.
    """

    seconds: float = 1800
    memory: int = 8 * GIB
    disk: int = 2 * GIB
    files: int = 2000
    printed: int = 10 * MIB
    threads: int = field(default_factory=lambda: max(256, 8 * usable_cores()))
    cores: int = field(default_factory=usable_cores)

    def rlimits(self, *, cuda: bool, own_user: bool) -> dict[str, int]:
        """What the kernel is to hold the worker to: names from the ``resource`` module and their values."""
        limits = {
            "RLIMIT_CORE": 0,
            "RLIMIT_CPU": math.ceil(self.seconds) * usable_cores() + 60,
            "RLIMIT_FSIZE": self.disk,
            "RLIMIT_NOFILE": 1024,
        }
        if sys.platform == "linux":
            # The kernel counts what is reserved, the watchdog what is used: importing torch reserves 0.8 GiB, each
            # thread a stack and, in address space, an arena.
            limits["RLIMIT_SIGPENDING"] = 256  # all processes of a user share what the kernel keeps of them
            limits["RLIMIT_DATA"] = self.memory + GIB + self.threads * _STACK
            if not cuda:  # which reserves far more addresses than there is memory
                limits["RLIMIT_AS"] = self.memory + 8 * GIB + self.threads * (_STACK + _ARENA)
            if own_user:  # The kernel counts per user. Doubled, so that the watchdog acts first and can say why.
                limits["RLIMIT_NPROC"] = 2 * self.threads
        return limits

    def sentence(self, limit: Limit) -> str:
        """Why a worker was ended, and what its author can do."""
        return {
            "time": f"it ran past its time limit of {format_seconds(self.seconds)}; train for fewer epochs, use a "
            "smaller network, or allow more with --time-limit",
            "memory": f"it needed more memory than its limit of {format_bytes(self.memory)}; use a smaller batch or "
            "network, or allow more with --memory-limit",
            "disk": f"it wrote more than {format_bytes(self.disk)} to disk, or mapped files that it had removed; keep "
            "fewer or smaller checkpoints",
            "files": f"it made more than {self.files:,} files; keep fewer of them, or several arrays in one",
            "printed": f"it printed more than {format_bytes(self.printed)}; print once an epoch, not once a batch",
            "threads": f"it started more than {self.threads:,} threads; start fewer",
        }[limit]
