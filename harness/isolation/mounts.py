"""A file tree of a worker's own, in which folders that are closed to it hold what is granted and nothing else.

A worker with a user of its own cannot pass through a folder such as /root, though Python itself may lie below it. So
the worker's process, while it still is root, lays an empty file system over such a folder, where it alone sees it, and
makes the granted paths show in there. Standard library only, as ``landlock``. As a script it tries whether that works.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_CLONE_NEWNS = 0x20000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18


def closed_folders(paths: Iterable[str]) -> list[str]:
    """The folders nearest the root through which not everybody may pass on the way to these paths."""
    closed: list[str] = []
    for path in {Path(path).resolve() for path in paths}:
        ways = [parent for parent in reversed(path.parents) if not parent.stat().st_mode & stat.S_IXOTH]
        closed += map(str, ways[:1])
    return sorted(set(closed))


def uncover(closed: Sequence[str], read: Iterable[str], write: Iterable[str]) -> None:
    """Lay something empty over the closed folders, with these paths in it, for this process and its children only.

    Args:
        closed: folders, none within another.
        read: what of it may be read.
        write: what of it may be written too.

    Raises:
        OSError: this process may not, or a path does not exist.
    """
    if not closed:
        return
    _checked(_libc().unshare(_CLONE_NEWNS), "/")
    _mount("none", "/", _MS_REC | _MS_PRIVATE)
    places: dict[str, tuple[int, int]] = {}  # Opened first: once covered, they are out of reach.
    for path, flags in (*((path, 0) for path in write), *((path, _MS_RDONLY) for path in read)):
        for place in (path, os.path.realpath(path)):
            if place not in places and any(Path(place).is_relative_to(folder) for folder in closed):
                places[place] = (os.open(path, os.O_PATH | os.O_CLOEXEC), flags)
    for folder in closed:
        _mount("tmpfs", folder, _MS_NOSUID | _MS_NODEV, "tmpfs", "mode=755,size=1m")
    for place, (source, flags) in places.items():
        _make(place, is_folder=stat.S_ISDIR(os.fstat(source).st_mode))
        _mount(f"/proc/self/fd/{source}", place, _MS_BIND | _MS_REC)
        _mount("none", place, _MS_REMOUNT | _MS_BIND | _MS_NOSUID | flags)
        os.close(source)
    for folder in closed:
        _mount("none", folder, _MS_REMOUNT | _MS_NOSUID | _MS_NODEV | _MS_RDONLY)


def _make(place: str, *, is_folder: bool) -> None:
    if is_folder:
        os.makedirs(place, 0o755, exist_ok=True)  # noqa: PTH103 - fewer imports before the walls
        return
    os.makedirs(os.path.dirname(place), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
    if not os.path.lexists(place):
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))


def _mount(source: str, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind, options)]
    _checked(_libc().mount(*words[:3], ctypes.c_ulong(flags), words[3]), target)


def _checked(result: int, path: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"mount: {os.strerror(number)}", path)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    uncover([sys.argv[1]], [], [])
