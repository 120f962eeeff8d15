"""Cores: graders on one machine share the cores by locks that all of them can see.

There is one lock file for each core, in a folder that every user may open; the kernel frees a lock when its holder
ends, however it ends. A lease also locks a seat, so that all can count the leases: the fair part of each is the number
of usable cores divided by the number of seats taken. A lease with less than its fair part says that it is waiting. One
with more gives up the excess while another waits, and takes free cores again when none does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from harness.isolation.limits import usable_cores

FOLDER = Path("/tmp/harness-cores")  # noqa: S108 - not TMPDIR, which differs between users; links are not followed
"""Where the lock files lie."""

_PATIENCE = 3.0
_POLL = 0.1
"""Seconds that a lease waits for its first core, and between two tries."""


class Lease:
    """The cores that one worker may use, for as long as a ``with`` block lasts.

    Each lease belongs to one thread; a process may hold several. Where the locks cannot be used, and after three
    seconds without a free core, it goes on without a core of its own.

    Args:
        slots: how many workers its executor runs at once; a lease takes at most its share of the usable cores.
        threads: take exactly this many cores and keep them, at most all; None takes the fair part.
        folder: where the lock files lie.
        usable: the numbers of the cores to choose from; those that this process may run on.
        patience: seconds to wait for a first core.
    """

    def __init__(
        self,
        slots: int = 1,
        threads: int | None = None,
        *,
        folder: Path | None = None,
        usable: Iterable[int] | None = None,
        patience: float = _PATIENCE,
    ) -> None:
        self._usable = sorted(usable_numbers() if usable is None else usable)
        self._share = max(1, len(self._usable) // slots)
        self._fixed, self._patience = threads, patience
        self._locks = _Locks(FOLDER if folder is None else folder)
        self._seats = range(max(os.cpu_count() or 1, len(self._usable)))  # as many for all graders of a machine
        self._seat: int | None = None
        self._cores: list[int] = []

    @property
    def threads(self) -> int:
        """How many threads a worker begins with: one a core, or the fixed number."""
        if self._fixed is not None:
            return self._fixed
        return max(1, len(self._cores)) if self._locks.are_usable else self._share

    def now(self) -> frozenset[int]:
        """The numbers of its cores at this moment; empty if it has none of its own.

        To be called about once a second, since cores are given up and taken here.
        """
        with suppress(OSError):
            self._look()
        return frozenset(self._cores)

    def __enter__(self) -> Lease:
        until = time.monotonic() + self._patience
        try:
            self._locks.open()
            self._look()
            while not self._cores and time.monotonic() < until:
                time.sleep(_POLL)
                self._look()
        except OSError:  # a link, a file of another kind, a file system without locks
            self.__exit__(None, None, None)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._locks.close()
        self._cores = []

    def _look(self) -> None:
        if not self._locks.are_usable:
            return
        self._sit()
        if self._seat is None:  # there are as many leases as cores already
            return
        fair = self._fair()
        if len(self._cores) < fair:
            self._take(fair)
        if len(self._cores) < fair:
            self._locks.take("waiting")
            return
        self._locks.give("waiting")
        if self._fixed is None:
            if self._locks.is_taken("waiting"):
                self._keep(fair)
            else:
                self._take(self._share)

    def _sit(self) -> None:
        if self._seat is None:
            self._seat = next((seat for seat in self._seats if self._locks.take(f"seat-{seat}")), None)

    def _fair(self) -> int:
        """How many cores every lease of this kind can have; the first seats get what is left over."""
        if self._fixed is not None:
            return min(self._fixed, len(self._usable))
        assert self._seat is not None
        taken = [seat for seat in self._seats if seat == self._seat or self._locks.is_taken(f"seat-{seat}")]
        each, left = divmod(len(self._usable), len(taken))
        return min(self._share, max(1, each + (taken.index(self._seat) < left)))

    def _take(self, wanted: int) -> None:
        """Take free cores up to this number. A fixed number is taken whole or not at all, so that no two leases wait
        for each other."""
        for core in self._usable:
            if len(self._cores) < wanted and core not in self._cores and self._locks.take(f"core-{core}"):
                self._cores.append(core)
        if self._fixed is not None and len(self._cores) < wanted:
            self._keep(0)

    def _keep(self, count: int) -> None:
        for core in self._cores[count:]:
            self._locks.give(f"core-{core}")
        del self._cores[count:]


class _Locks:
    """Files in a folder, locked by name. Opened for reading alone, which is enough and works between users."""

    def __init__(self, folder: Path) -> None:
        self._path = folder
        self._folder: int | None = None
        self._held: dict[str, int] = {}

    @property
    def are_usable(self) -> bool:
        return self._folder is not None

    def open(self) -> None:
        """Open the folder, and make it if need be.

        Raises:
            OSError: it is a link, closed to this user, or not a folder.
        """
        if os.name != "posix":
            return
        with suppress(FileExistsError):
            self._path.mkdir()
            self._path.chmod(0o1777)  # mkdir's own mode is subject to the umask
        self._folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    def close(self) -> None:
        """Give all locks back."""
        for name in list(self._held):
            self.give(name)
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def take(self, name: str) -> bool:
        """Lock a file for this object alone; whether it is."""
        if name not in self._held and (lock := self._locked(name, alone=True)) is not None:
            self._held[name] = lock
        return name in self._held

    def give(self, name: str) -> None:
        """Unlock a file, if it is locked here."""
        if (lock := self._held.pop(name, None)) is not None:
            _unlock(lock)

    def is_taken(self, name: str) -> bool:
        """Whether another has locked a file for itself alone. Two that only ask do not get in each other's way."""
        lock = self._locked(name, alone=False)
        if lock is not None:
            _unlock(lock)
        return lock is None

    def _locked(self, name: str, *, alone: bool) -> int | None:
        import fcntl  # not on Windows

        lock = self._file(name)
        try:
            fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        except OSError:
            os.close(lock)
            raise
        return lock

    def _file(self, name: str) -> int:
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with suppress(FileNotFoundError):
            return os.open(name, how, dir_fd=self._folder)
        with suppress(FileExistsError):
            made = os.open(name, how | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=self._folder)
            os.fchmod(made, 0o644)
            return made
        return os.open(name, how, dir_fd=self._folder)  # another was quicker


def _unlock(lock: int) -> None:
    import fcntl  # not on Windows

    fcntl.flock(lock, fcntl.LOCK_UN)  # closing is not enough while a process that is being started has a copy
    os.close(lock)


def usable_numbers() -> frozenset[int]:
    """The numbers of the cores that this process may run on."""
    return frozenset(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(usable_cores()))
