"""Job folders: each belongs to one run or process; what a killed grader left of its own is removed by the next."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

from harness.errors import MachineError
from harness.files import remove_tree

_PREFIX, _UNLOCKED = "facial-keypoint-job-", "facial-keypoint-new-"


@contextmanager
def job_folder() -> Iterator[Path]:
    """A new folder, locked for as long as this process is at it, and removed in the end.

    Raises:
        MachineError: there is no room for it, or for what is laid into it.
    """
    try:
        with ExitStack() as stack:
            unlocked = Path(tempfile.mkdtemp(prefix=_UNLOCKED))
            _hold(unlocked, stack)
            # Whoever clears away sees it under this name once it is locked, and not before.
            folder = unlocked.rename(unlocked.with_name(unlocked.name.replace(_UNLOCKED, _PREFIX)))
            try:
                _clear_away_leftovers(folder.parent)
                yield folder
            finally:
                with suppress(OSError):  # what cannot be removed is left behind rather than the grading lost
                    remove_tree(folder)
    except OSError as error:
        if error.filename and str(error.filename).startswith(tempfile.gettempdir()):
            raise MachineError(
                f"{error.filename}: {error.strerror}; make room, or point TMPDIR to a folder that has some"
            ) from error
        raise


@cache
def process_folder() -> Path:
    """A folder of the same kind for as long as this process lives.

    Raises:
        MachineError: there is no room for it.
    """
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(job_folder())


def _clear_away_leftovers(where: Path) -> None:
    """Remove job folders of this user whose grader is dead, since the photographs are in them."""
    for path in where.glob(f"{_PREFIX}*"):
        with suppress(OSError), ExitStack() as stack:
            if _hold(path, stack):
                remove_tree(path)


def _hold(folder: Path, stack: ExitStack) -> bool:
    """Lock a folder of this user until the stack is unwound, or this process is killed; false if somebody else has."""
    import fcntl  # not on Windows, which starts no worker

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    stack.callback(os.close, descriptor)
    if os.fstat(descriptor).st_uid != os.geteuid():
        return False
    with suppress(OSError):  # another has it, or this file system knows no locks, so that nobody ever clears away
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
