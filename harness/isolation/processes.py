"""What a process uses, by figures of the kernel's that neither a name nor the end of a thread can change.

A process whose first thread has ended looks dead: its state is that of a zombie, and its memory and descriptors read
as none. The others go on, so it is they who are asked. Outside Linux psutil answers, as well as it can.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

Mapping = tuple[int, int, str]

_PAGE = os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else 0
_ENDED = ("Z", "X")
_SHARED_MEMORY = ("/dev/zero (deleted)", "[anon_shmem:")  # what the kernel calls shared memory without a file
_RESIDENT, _SHARED = 1, 2  # among the fields of statm


def is_alive(process: psutil.Process) -> bool:
    """Whether any thread of this process still runs, and its number has not gone to another."""
    with contextlib.suppress(psutil.Error):
        if sys.platform != "linux":
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        return process.is_running() and any(True for _ in _living_threads(process.pid))
    return False


def usage(process: psutil.Process) -> tuple[int, int]:
    """(bytes of memory, threads) of a process; nothing of one that has ended."""
    if sys.platform != "linux":
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss, process.num_threads()
        return 0, 0
    threads = _threads(process.pid)
    for thread in threads:
        if memory := resident(f"{process.pid}/task/{thread}"):
            return memory, len(threads)
    return 0, len(threads)


def resident(process: str) -> int:
    """Bytes of memory that a process or thread, named by its path below /proc, has in use; Linux only."""
    return _statm(process)[_RESIDENT] * _PAGE


def anonymous() -> int:
    """Bytes of memory without a file behind it that all processes of the machine have in use; Linux only."""
    total = 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - names alone
        if name.isdecimal():
            total += private(int(name))
    return total


def private(process: int) -> int:
    """Bytes of memory without a file behind it that a process shares with nobody; Linux only."""
    return _private(str(process)) or _private(_spokesman(process))


def removed_files(process: int) -> dict[tuple[int, int], int]:
    """(device, inode) -> bytes on disk of the files that a process has removed but keeps open; Linux only."""
    held = {}
    for about in _open_files(process):
        if about.st_nlink == 0 and stat.S_ISREG(about.st_mode):
            held[about.st_dev, about.st_ino] = about.st_blocks * 512
    return held


def open_inodes(process: int) -> set[int]:
    """The inodes of everything that a process keeps open; Linux only."""
    return {about.st_ino for about in _open_files(process)}


def mappings(process: int) -> list[Mapping]:
    """(bytes, inode, name) of everything that a process maps from a file or shares; Linux only."""
    found: list[Mapping] = []
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{_spokesman(process)}/maps").read_text(errors="replace").splitlines():
            addresses, _, _, _, inode, *name = line.split(maxsplit=5)
            if name:
                start, end = (int(address, 16) for address in addresses.split("-"))
                found.append((end - start, int(inode), name[0]))
    return found


def shared_memory(process: int) -> dict[int, int]:
    """Inode -> bytes of shared memory without a file that a process maps, or to root, that there is of it; Linux only.

    Pages stay after their part of a mapping is gone, as long as any part is left; only root may ask how many.
    """
    held: dict[int, int] = {}
    spokesman = _spokesman(process)
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{spokesman}/maps").read_text(errors="replace").splitlines():
            if any(name in line for name in _SHARED_MEMORY):
                addresses, _, _, _, inode, *_ = line.split(maxsplit=5)
                start, end = (int(address, 16) for address in addresses.split("-"))
                held[int(inode)] = held.get(int(inode), 0) + end - start
                with contextlib.suppress(OSError):
                    pages = os.stat(f"/proc/{process}/map_files/{start:x}-{end:x}")  # noqa: PTH116
                    held[int(inode)] = max(held[int(inode)], pages.st_blocks * 512)
    return held


def _private(process: str) -> int:
    fields = _statm(process)
    return (fields[_RESIDENT] - fields[_SHARED]) * _PAGE


def _statm(process: str) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(field) for field in Path(f"/proc/{process}/statm").read_text().split()]
    return [0] * 7


def _open_files(process: int) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError), os.scandir(f"/proc/{_spokesman(process)}/fd") as descriptors:
        for descriptor in descriptors:
            with contextlib.suppress(OSError):
                yield descriptor.stat()


def _spokesman(process: int) -> str:
    """A living thread of a process, by its path below /proc: all share what that one maps and keeps open.

    That no thread has descriptors of its own is for ``seccomp`` to see to.
    """
    return next((f"{process}/task/{thread}" for thread in _living_threads(process)), str(process))


def _living_threads(process: int) -> Iterator[str]:
    for thread in _threads(process):
        with contextlib.suppress(OSError, IndexError):
            if _status(f"{process}/task/{thread}")[0] not in _ENDED:
                yield thread


def _threads(process: int) -> list[str]:
    with contextlib.suppress(OSError):
        return sorted(os.listdir(f"/proc/{process}/task"), key=int)  # noqa: PTH208 - names alone
    return []


def _status(process: str) -> list[str]:
    """The fields of ``stat`` behind the name, which may hold anything: the state, the parent, and so on."""
    return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
