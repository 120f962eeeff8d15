"""Measures a worker's processes and files, and ends it with everything that it started."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.isolation.cgroups import Cgroup
from harness.isolation.limits import Limit, Limits
from harness.isolation.losses import Loss, unseen_memory, used_memory, used_space
from harness.isolation.processes import (
    Mapping,
    is_alive,
    mappings,
    open_inodes,
    private,
    removed_files,
    shared_memory,
    usage,
)
from harness.isolation.scratch import Scratch

_TICK, _HASTE = 0.05, 0.005  # seconds between two looks, and while something grows fast
_HASTY_LOOKS = 40  # after the last growth
_FAST = 64  # A look finds growth fast when this part of a limit was taken since the last.
_ROUND = 0.5  # Seconds between two searches for new processes and walks of the folders, which take milliseconds.
_PATIENCE = 5.0  # Seconds for killed processes to be gone; only one stuck in the kernel takes longer.


class Watchdog:
    """Watches the descendants of one supervisor and the folders that they may write to.

    The supervisor (see ``bootstrap``) adopts its orphans, so a process that detached itself is still found below it,
    and two workers beside each other are told apart.

    Args:
        supervisor: the number of its process.
        scratch: where the worker may write.
        limits: what ends it.
        cgroup: the one that it was started in, which counts what nobody else can; None where there is none.
    """

    def __init__(self, supervisor: int, scratch: Scratch, limits: Limits, cgroup: Cgroup | None = None) -> None:
        self._supervisor = psutil.Process(supervisor)
        self._scratch = scratch
        self._limits = limits
        self._cgroup = cgroup
        self._seen: set[psutil.Process] = set()
        self._next_round = 0.0
        self._hasty = 0
        self._memory = 0
        self._shared: dict[int, int] = {}
        self._used = used_memory()
        self._unseen = Loss(unseen_memory, limits.memory)
        self._space = used_space(scratch.temporary)
        self.peak_memory = 0
        """Bytes, of all its processes together."""

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return _HASTE if self._hasty else _TICK

    def look(self) -> Limit | None:
        """Measure once; the limit that is broken, or None."""
        self._scratch.receive()
        self._hasty = max(0, self._hasty - 1)
        thorough = time.monotonic() >= self._next_round or not self._seen or self._fills_the_disk()
        if thorough:
            self._next_round = time.monotonic() + _ROUND
            self._search()
        if thorough or self._hasty:
            self._measure_shared_memory()
        memory, threads = self._processes()
        if memory - self._memory > self._limits.memory // _FAST:
            self._hasty = _HASTY_LOOKS
        self._memory = memory
        self.peak_memory = max(self.peak_memory, memory)
        if memory > self._limits.memory or self._took_unseen_memory(thorough):
            return "memory"
        if threads > self._limits.threads:
            return "threads"
        return self.look_at_files() if thorough or self._scratch.in_memory else None

    def look_at_files(self) -> Limit | None:
        """Measure what is written; the limit that is broken, or None."""
        self._scratch.receive()
        count, held = self._scratch.used() if self._scratch.in_memory else self._measure_files()
        if count > self._limits.files:
            return "files"
        return "disk" if held > self._limits.disk else None

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
            living = [process for process in self._seen if is_alive(process)]
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
        self._seen = {process for process in self._seen if is_alive(process)}

    def _processes(self) -> tuple[int, int]:
        memory, threads = sum(self._shared.values()), 0
        for process in self._seen:
            more_memory, more_threads = usage(process)
            memory, threads = memory + more_memory, threads + more_threads
        if self._scratch.in_memory:  # of its files, those that it maps are counted already
            memory = max(memory, self._scratch.used()[1] + sum(private(process.pid) for process in self._seen))
        return memory, threads

    def _measure_shared_memory(self) -> None:
        """Remember the most of each piece that is still held: pages that a process maps no longer count as nobody's."""
        held = {inode: size for process in self._seen for inode, size in shared_memory(process.pid).items()}
        self._shared = {inode: max(size, self._shared.get(inode, 0)) for inode, size in held.items()}

    def _took_unseen_memory(self, thorough: bool) -> bool:
        """Whether the worker holds more than it may, counting what the machine lost and no process shows."""
        if self._cgroup is not None and self._cgroup.bounds_memory:
            return self._cgroup.ran_out_of_memory()
        used = used_memory()
        if used - self._used > self._limits.memory // _FAST:
            self._hasty, thorough = _HASTY_LOOKS, True
        if not thorough:
            return False
        self._used = used
        return self._unseen.is_caused(sum(private(process.pid) for process in self._seen), self._stopped)

    def _fills_the_disk(self) -> bool:
        """Whether the file system lost much since the last look; what else is written there does no harm."""
        space, self._space = self._space, used_space(self._scratch.temporary)
        if self._space - space > self._limits.disk // _FAST:
            self._hasty = _HASTY_LOOKS
            return True
        return False

    def _measure_files(self) -> tuple[float, int]:
        """How many files the worker has, and the bytes they hold on disk, those without a name among them."""
        folders = [self._scratch.temporary, self._scratch.output]
        mapped = {process.pid: mappings(process.pid) for process in self._seen}
        if any(_keeps_removed_files_mapped(process, mapped[process], folders) for process in mapped):
            return 0, sys.maxsize
        removed = {file: held for process in self._seen for file, held in removed_files(process.pid).items()}
        count, held = 0.0, sum(removed.values())
        for folder in folders:
            files, used = _measure(folder, self._limits.files)
            count, held = count + files, held + used
        return count, held

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Keep the worker's processes from running."""
        stopped = list(self._seen)
        try:
            for process in stopped:
                with contextlib.suppress(psutil.Error):
                    process.suspend()
            yield
        finally:
            for process in stopped:
                with contextlib.suppress(psutil.Error):
                    process.resume()


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


def _keeps_removed_files_mapped(process: int, mapped: Sequence[Mapping], folders: Sequence[Path]) -> bool:
    """Whether a process maps files of these folders that are removed and closed.

    Nobody can tell how large such a file is, and one mapped page keeps all of it on disk. What Python and numpy map
    stays open, and is counted with the open files.
    """
    inside = tuple(f"{folder}/" for folder in folders)
    removed = {inode for _, inode, name in mapped if name.endswith("(deleted)") and name.startswith(inside)}
    return bool(removed) and not removed <= open_inodes(process)


def _ends(process: psutil.Process, within: float) -> bool:
    deadline = time.monotonic() + within
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not is_alive(process)
