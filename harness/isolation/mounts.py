"""A file tree of a worker's own, in which folders that are closed to it hold what is granted and nothing else.

A worker with a user of its own cannot pass through a folder such as /root, though Python itself may lie below it. So
the worker's process, while it still is root, lays an empty file system over such a folder, where it alone sees it, and
makes the granted paths show in there. In the same tree it can have a file system in memory to write to, for which it
need not be root where users may make namespaces. Standard library only, as ``landlock``. As a script it tries whether
that works.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18


def closed_folders(paths: Iterable[str]) -> list[str]:
    """The folders nearest the root through which not everybody may pass on the way to these paths."""
    closed: list[str] = []
    for path in {Path(path).resolve() for path in paths}:
        ways = [parent for parent in reversed(path.parents) if not parent.stat().st_mode & stat.S_IXOTH]
        closed += map(str, ways[:1])
    return sorted(set(closed))


def separate(*, own_user: bool) -> None:
    """Give this process, which has one thread, a file tree of its own: from now on nobody else sees what it mounts.

    Args:
        own_user: whether it is to change its user, which root alone can. Whoever else may not do this becomes, in a
            namespace of its own, somebody who may.

    Raises:
        OSError: this process may not.
    """
    if _libc().unshare(_CLONE_NEWNS):
        if own_user:
            _checked(-1, "/")
        user, group = os.geteuid(), os.getegid()
        _checked(_libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "/")
        for name, line in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - fewer imports before the walls
                file.write(line)
    _mount("none", "/", _MS_REC | _MS_PRIVATE)


def lay_in_memory(folders: Sequence[str], options: str, user: int | None) -> int:
    """Lay one file system in memory over these folders of different names, in a tree of this process's own.

    Args:
        folders: existing ones.
        options: of the file system, such as its size.
        user: to whom they are to belong, if not to this one.

    Returns:
        A descriptor of its root, in which the folders lie side by side.

    Raises:
        OSError: this process may not.
    """
    _mount("tmpfs", folders[-1], _MS_NOSUID | _MS_NODEV, "tmpfs", options)
    root = os.open(folders[-1], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for folder in folders:  # the last covers the place where all of it was seen
        name = os.path.basename(folder)  # noqa: PTH119
        os.mkdir(name, 0o700, dir_fd=root)
        if user is not None:
            os.chown(name, user, user, dir_fd=root)
        _mount(f"/proc/self/fd/{root}/{name}", folder, _MS_BIND)
    return root


def uncover(closed: Sequence[str], read: Iterable[str], write: Iterable[str]) -> None:
    """Lay something empty over the closed folders, with these paths in it, in a tree of this process's own.

    Args:
        closed: folders, none within another.
        read: what of it may be read.
        write: what of it may be written too.

    Raises:
        OSError: this process may not, or a path does not exist.
    """
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
    separate(own_user="own-user" in sys.argv[2:])
    os.close(lay_in_memory([sys.argv[1]], "size=1m", None))
