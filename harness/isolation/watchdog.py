"""Measures a worker's processes and files, and ends it with everything that it started."""

from __future__ import annotations

import contextlib
import math
import os
import stat
import sys
import time
from collections.abc import Sequence, Set
from pathlib import Path

import psutil

from harness.isolation.limits import Limit, Limits

TICK = 0.05
"""Seconds between two looks."""
_ROUNDS = 10  # Every tenth look also searches for new processes and walks the folders, which takes milliseconds.
_SHARED_MEMORY = "/dev/zero (deleted)"  # what the kernel calls shared memory without a file, which CUDA is left
_PATIENCE = 5.0  # Seconds for killed processes to be gone; only one stuck in the kernel takes longer.


class Watchdog:
    """Watches the descendants of one supervisor and the folders that they may write to.

    The supervisor (see ``bootstrap``) adopts its orphans, so a process that detached itself is still found below it,
    and two workers beside each other are told apart.
    """

    def __init__(self, supervisor: int, folders: Sequence[Path], limits: Limits) -> None:
        self._supervisor = psutil.Process(supervisor)
        self._folders = folders
        self._limits = limits
        self._seen: set[psutil.Process] = set()
        self._looks = 0
        self._shared = 0
        self.peak_memory = 0
        """Bytes, of all its processes together."""

    def look(self) -> Limit | None:
        """Measure once; the limit that is broken, or None."""
        thorough = self._looks % _ROUNDS == 0 or not self._seen
        self._looks += 1
        if thorough:
            self._search()
        memory, threads = self._processes()
        self.peak_memory = max(self.peak_memory, memory)
        if memory > self._limits.memory:
            return "memory"
        if threads > self._limits.threads:
            return "threads"
        return self._files() if thorough else None

    def pin(self, cores: Set[int]) -> None:
        """Keep every thread of every process to these cores; Linux only, and nothing where there are none."""
        if not cores or sys.platform != "linux":
            return
        for process in (self._supervisor, *self._seen):
            with contextlib.suppress(OSError):  # it has ended
                for thread in os.listdir(f"/proc/{process.pid}/task"):  # noqa: PTH208 - names alone
                    with contextlib.suppress(OSError):
                        os.sched_setaffinity(int(thread), cores)

    def kill(self) -> None:
        """Kill everything below the supervisor until nothing is left, then the supervisor."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self._search()
            living = [process for process in self._seen if _is_alive(process)]
            if not living:
                break
            for process in living:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.005)
        if not _ends(self._supervisor, within=1.0):
            with contextlib.suppress(psutil.Error):
                self._supervisor.kill()

    def _search(self) -> None:
        """Remember every process below the supervisor, and below those it has lost."""
        for root in (self._supervisor, *self._seen):
            with contextlib.suppress(psutil.Error):
                self._seen.update(root.children(recursive=True))
        self._seen = {process for process in self._seen if _is_alive(process)}

    def _processes(self) -> tuple[int, int]:
        memory, threads = self._shared, 0
        for process in self._seen:
            with contextlib.suppress(psutil.Error):
                memory += process.memory_info().rss
                threads += process.num_threads()
        return memory, threads

    def _files(self) -> Limit | None:
        mappings = {process.pid: _mappings(process.pid) for process in self._seen}
        # Pages of shared memory that a process has let go still take up memory, and count as nobody's.
        self._shared = sum(size for each in mappings.values() for size, _, name in each if name == _SHARED_MEMORY)
        if any(_keeps_removed_files_mapped(process, mappings[process], self._folders) for process in mappings):
            return "disk"
        count, held = 0.0, sum(_held_without_name(process.pid) for process in self._seen)
        for folder in self._folders:
            files, used = _measure(folder, self._limits.files)
            count, held = count + files, held + used
        if count > self._limits.files:
            return "files"
        return "disk" if held > self._limits.disk else None


def _measure(folder: Path, most: int) -> tuple[float, int]:
    """Files below a folder and the bytes they hold on disk; gives up past ``most``.

    A folder that does not let itself be read hides an unknown number.
    """
    count: float = 0
    held = 0
    waiting = [str(folder)]
    while waiting and count <= most:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        held += _held(entry)
        except FileNotFoundError:
            continue  # It was removed meanwhile.
        except OSError:
            return math.inf, held
    return count, held


def _held(entry: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_blocks * 512
    return 0


def _held_without_name(process: int) -> int:
    """Bytes in files that a process has removed but keeps open; Linux only."""
    held = 0
    with contextlib.suppress(OSError), os.scandir(f"/proc/{process}/fd") as descriptors:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                about = descriptor.stat()
                held += about.st_blocks * 512 if about.st_nlink == 0 and stat.S_ISREG(about.st_mode) else 0
    return held


def _mappings(process: int) -> list[tuple[int, int, str]]:
    """(bytes, inode, name) of everything that a process maps from a file or shares; Linux only."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/maps").read_text(errors="replace").splitlines():
            addresses, _, _, _, inode, *name = line.split(maxsplit=5)
            if name:
                start, end = (int(address, 16) for address in addresses.split("-"))
                found.append((end - start, int(inode), name[0]))
    return found


def _keeps_removed_files_mapped(
    process: int, mappings: Sequence[tuple[int, int, str]], folders: Sequence[Path]
) -> bool:
    """Whether a process maps files of these folders that are removed and closed.

    Nobody can tell how large such a file is, and one mapped page keeps all of it on disk. What Python and numpy map
    stays open, and is counted with the open files.
    """
    inside = tuple(f"{folder}/" for folder in folders)
    removed = {inode for _, inode, name in mappings if name.endswith("(deleted)") and name.startswith(inside)}
    if not removed:
        return False
    with contextlib.suppress(OSError), os.scandir(f"/proc/{process}/fd") as descriptors:
        return not removed <= {_inode(descriptor) for descriptor in descriptors}
    return True


def _inode(descriptor: os.DirEntry[str]) -> int:
    with contextlib.suppress(OSError):
        return descriptor.stat().st_ino
    return 0


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _ends(process: psutil.Process, within: float) -> bool:
    deadline = time.monotonic() + within
    while _is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not _is_alive(process)
