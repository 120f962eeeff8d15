"""A user of its own for a worker, where the grader runs as root and can hand one out."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_FIRST, _COUNT = 61_000, 4_000  # above what distributions give to people and services, below what containers lack
_turn = itertools.count()


def give_to_own_user(job: Path, needed: Iterable[str]) -> int | None:
    """Hand the job's ``output/`` and ``tmp/`` to an unused user, and let it read ``input/``.

    Args:
        job: the job folder.
        needed: what the worker reads besides.

    Returns:
        the number of the user and of its group; None where ``why_no_own_user`` gives a reason.
    """
    if why_no_own_user([str(job.parent), *needed]) is not None:
        return None
    user = _unused()
    try:
        for path in (job, job / "input", *(job / "input").rglob("*")):
            os.chown(path, 0, user, follow_symlinks=False)
            if not path.is_symlink():
                path.chmod(0o750 if path.is_dir() else 0o640)
        for path in (job / "output", job / "tmp"):
            os.chown(path, user, user)
    except OSError:  # a container may be root without the right to hand files on
        return None
    return user


def why_no_own_user(needed: Iterable[str]) -> str | None:
    """Why a worker that reads these paths cannot have a user of its own; None if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can give a worker a user of its own"
    for path in needed:
        if not _is_open(Path(path)):
            return f"{path} is closed to other users, and a worker reads it"
    return None


def _unused() -> int:
    import pwd  # not on Windows

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    while True:
        user = _FIRST + (os.getpid() * 16 + next(_turn)) % _COUNT
        if user not in taken:
            return user


def _is_open(path: Path) -> bool:
    """Whether everybody may reach and read a path."""
    path = path.resolve()
    if not path.exists():
        return False
    return path.stat().st_mode & 0o004 != 0 and all(parent.stat().st_mode & 0o001 for parent in path.parents)
