"""Writing files so that a reader never sees half of one, and removing folders that a submission filled."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path


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
