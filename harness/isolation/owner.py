"""A user of its own for a worker, where the grader runs as root and can hand one out."""

from __future__ import annotations

import functools
import itertools
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.isolation import mounts

_FIRST, _COUNT = 61_000, 4_000  # above what distributions give to people and services, below what containers lack
_CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SYS_PTRACE": 19,  # without which nobody sees what another user's process has open
}
_turn = itertools.count()


class Owner(NamedTuple):
    """Whom a worker runs as.

    Attributes:
        user: the number of the user and of its group.
        closed: folders that this user may not enter, though something that it reads lies below.
    """

    user: int
    closed: list[str]


def give_to_own_user(job: Path, needed: Iterable[str], *, walls: bool = True) -> Owner | None:
    """Hand the job's ``output/`` and ``tmp/`` to an unused user, and let it read ``input/``.

    Args:
        job: the job folder.
        needed: what the worker reads besides.
        walls: whether closed folders may be covered; without walls a worker reads what it would read anyway.

    Returns:
        None where ``why_no_own_user`` gives a reason.
    """
    needed = [path for path in needed if not Path(path).is_relative_to(job)]
    if why_no_own_user(needed) is not None:
        return None
    closed = mounts.closed_folders([str(job), *needed])
    if closed and (not walls or why_no_mounts(own_user=True) is not None):
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
    return Owner(user, closed)


def why_no_own_user(needed: Sequence[str]) -> str | None:
    """Why a worker that reads these paths cannot have a user of its own, and what to do; None if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can give a worker a user of its own"
    if lacking := [name for name, bit in _CAPABILITIES.items() if not _capabilities() >> bit & 1]:
        return f"root lacks rights here; start the container with {' '.join(f'--cap-add {name}' for name in lacking)}"
    for path in needed:
        if not _is_open(Path(path)):
            return f"{path} is closed to other users, and a worker reads it; chmod -R o+rX {path}"
    closed = mounts.closed_folders(needed)
    if closed and why_no_mounts(own_user=True) is not None:
        return (
            f"{closed[0]} is closed to other users, and a worker reads {_first_below(closed[0], needed)}; chmod o+x "
            f"{closed[0]}, or let root mount (in a container: --cap-add SYS_ADMIN --security-opt apparmor=unconfined)"
        )
    return None


@functools.cache
def why_no_mounts(*, own_user: bool) -> str | None:
    """Why no worker can have a file tree of its own here, which some containers refuse even root; None if one can.

    Args:
        own_user: whether the worker is to change its user, which is root's to do.
    """
    with tempfile.TemporaryDirectory() as folder:
        trial = subprocess.run(  # noqa: S603 - this interpreter and a file of this package
            [sys.executable, "-I", "-S", mounts.__file__, folder, *(["own-user"] if own_user else [])],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    return (trial.stderr.strip().splitlines() or ["no reason was given"])[-1] if trial.returncode else None


def _capabilities() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.rpartition("\nCapEff:")[2].split()[0], 16)


def _unused() -> int:
    import pwd  # not on Windows

    taken = {entry.pw_uid for entry in pwd.getpwall()} | _running()
    while True:
        user = _FIRST + (os.getpid() * 16 + next(_turn)) % _COUNT
        if user not in taken:
            return user


def _running() -> set[int]:
    users = set()
    for name in os.listdir("/proc"):  # noqa: PTH208 - names alone
        if name.isdecimal():
            try:
                users.add(os.stat(f"/proc/{name}").st_uid)  # noqa: PTH116 - many, and quickly
            except OSError:
                continue
    return users


def _is_open(path: Path) -> bool:
    """Whether everybody may read a path, once they have come to it."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted


def _first_below(folder: str, paths: Iterable[str]) -> str:
    return next(path for path in paths if Path(path).resolve().is_relative_to(folder))
