"""Waiting for a leaderboard's lock among many who wait."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout


@contextlib.contextmanager
def patiently(lock: FileLock, folder: Path) -> Iterator[None]:
    """Hold a lock; wait for it as long as others write a table of the folder, and then for the lock's own timeout.

    Raises:
        Timeout: nobody wrote a table for so long.
    """
    seen = _tables(folder)
    while True:
        try:
            lock.acquire()
            break
        except Timeout:
            before, seen = seen, _tables(folder)
            if seen == before:
                raise
    try:
        yield
    finally:
        lock.release()


def _tables(folder: Path) -> dict[Path, int]:
    """When each table was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.csv")}
