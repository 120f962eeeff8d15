"""Reading files of any kind safely, writing them whole or not at all, and removing folders that a submission filled."""

from __future__ import annotations

import errno
import glob
import itertools
import os
import stat
import tempfile
from pathlib import Path

from harness.units import format_bytes


def read_regular(path: Path, most: int) -> bytes:
    """The bytes of a regular file, or of one that a link leads to, at most ``most`` of them.

    A pipe or a device, which could be waited for or read without end, is refused.

    Raises:
        OSError: it cannot be read, is something else or is longer; ``strerror`` says what.
    """
    # NONBLOCK, which Windows lacks: opening a named pipe would wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is a folder, a pipe or a device, not a plain file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(most + 1) if about.st_size <= most else b""
        if max(about.st_size, len(content)) > most:  # it may grow while it is read
            raise OSError(errno.EFBIG, f"it has more than the {format_bytes(most)} that it may have", str(path))
        return content
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: bytes) -> None:
    """Write content to path, making its folder where it is missing.

    Raises:
        OSError: it could not be written; what was there before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_unfinished(path: Path) -> None:
    """Remove what `write_atomically` left of a file where the process was killed; nobody may be writing it now."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder, however deeply others are nested in it.

    ``shutil.rmtree`` fails where folders are nested too deeply for Python's recursion or for the longest path that the
    system allows. Here every folder is moved to the top before it is emptied.

    Raises:
        OSError: something could not be removed.
    """
    names = (f"{os.urandom(8).hex()}-{number}" for number in itertools.count())
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        here.chmod(0o700)
        for entry in list(os.scandir(here)):
            if not entry.is_dir(follow_symlinks=False):
                Path(entry).unlink()
            elif here == folder:
                waiting.append(Path(entry))
            else:
                Path(entry).chmod(0o700)  # moving a folder needs the right to write to it
                waiting.append(Path(entry).rename(folder / next(names)))
        if here != folder:
            here.rmdir()
    folder.rmdir()
