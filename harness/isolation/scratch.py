"""The folders that a worker may write to: on a file system in memory, of its own, where this machine lets one be made.

The worker's process lays it over ``output/`` and ``tmp/`` of its job, where it alone sees it, before it gives up the
right to, and hands the grader a descriptor of it. The kernel then counts all that a submission writes, however it is
hidden, and lets it write no more; nothing of it gets to the disk, and all of it is gone with the worker and its
grader, however these end. Elsewhere the folders of the job are what they seem, and the watchdog's walks must do.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import weakref
from pathlib import Path
from typing import Any

from harness.isolation.limits import Limits
from harness.isolation.owner import why_no_mounts
from harness.units import format_bytes

_SLACK = 8
"""This part of a limit comes on top, so that the watchdog, who can say why, sees a limit that is broken."""
_OWN = 3  # files: its root and the two folders


class Scratch:
    """Where a worker's ``output/`` and ``tmp/`` are. Its descriptors are closed when nobody refers to it.

    Args:
        job: the job folder.
        limits: how much may be written.
        own_user: whether the worker changes to a user of its own.
    """

    def __init__(self, job: Path, limits: Limits, *, own_user: bool) -> None:
        self._root = job
        self._ours: socket.socket | None = None
        self._theirs: socket.socket | None = None
        self._options = _options(limits)
        self.in_memory = False
        """Whether it is a file system of its own; known once the worker runs."""
        if why_no_tmpfs(limits, own_user=own_user) is None:
            self._ours, self._theirs = socket.socketpair()
            self._ours.setblocking(False)
            for end in (self._ours, self._theirs):
                weakref.finalize(self, end.close)

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the bootstrap is to do: the options of the mount, and where to send the descriptor."""
        return None if self._theirs is None else {"options": self._options, "door": self._theirs.fileno()}

    @property
    def output(self) -> Path:
        """The folder of its results."""
        return self._root / "output"

    @property
    def temporary(self) -> Path:
        """The folder of its temporary files."""
        return self._root / "tmp"

    def started(self) -> None:
        """Let go of what the worker has inherited by now."""
        if self._theirs is not None:
            self._theirs.close()
            self._theirs = None

    def receive(self) -> None:
        """Take the descriptor if it has come. The bootstrap sends it before any other code of the worker's runs."""
        if self._ours is None:
            return
        with contextlib.suppress(BlockingIOError):
            _, descriptors, _, _ = socket.recv_fds(self._ours, 1, 1)
            self._ours.close()
            self._ours = None
            for root in descriptors:
                weakref.finalize(self, os.close, root)
                self._root, self.in_memory = Path(f"/proc/self/fd/{root}"), True

    def used(self) -> tuple[int, int]:
        """(files, bytes that they hold), open ones without a name among them; in memory only."""
        about = os.statvfs(self._root)
        return about.f_files - about.f_ffree - _OWN, (about.f_blocks - about.f_bfree) * about.f_frsize


def why_no_tmpfs(limits: Limits, *, own_user: bool) -> str | None:
    """Why a worker cannot have its folders in memory here; None if it can."""
    if sys.platform != "linux":
        return "only Linux has file trees of a process's own"
    if limits.disk > os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2:
        return f"the {format_bytes(limits.disk)} that it may write are more than half of this machine's memory"
    refused = why_no_mounts(own_user=own_user)
    return f"nobody here may mount one ({refused})" if refused is not None else None


def _options(limits: Limits) -> str:
    size, files = limits.disk + limits.disk // _SLACK, limits.files + limits.files // _SLACK + _OWN
    return f"mode=700,size={size},nr_inodes={files}"
