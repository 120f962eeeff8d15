"""Finds and opens the files of a submission, whose owner may swap any of them, or a folder, for a link at any time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from harness.errors import LoadError
from harness.places import shipped

MOST_FILES, MOST_BYTES = 2000, 2**30
"""Of a submission."""

_WALKS = os.open in os.supports_dir_fd  # Windows cannot open below a folder that is held open


def files_in(folder: Path, *, deepest: int = MOST_FILES) -> Iterator[Path]:
    """The files in a folder, links among them. What is hidden, and what Python compiled, is left out.

    Raises:
        LoadError: there are too many, or they lie in more than ``deepest`` other folders.
        OSError: a folder cannot be read.
    """
    waiting, count = [(folder, 0)], 0
    while waiting:
        here, depth = waiting.pop()
        if depth > deepest:
            raise LoadError(f"{folder}: has folders in more than {deepest} others; keep its files closer to the top")
        with os.scandir(here) as inside:
            for found in inside:
                if found.name.startswith((".", "__pycache__")):
                    continue
                if count >= MOST_FILES:
                    raise LoadError(f"{folder}: has more than {MOST_FILES:,} files; keep only what is needed")
                count += 1
                if found.is_dir(follow_symlinks=False):
                    waiting.append((Path(found), depth + 1))
                elif found.is_file() or found.is_symlink():
                    # What is neither is a device or a pipe; a link is kept here, to be refused with a reason.
                    yield Path(found)


def open_plain(file: Path, name: str) -> BufferedReader:
    """A regular file that has one name, reached through no link below the submission's folder.

    Args:
        file: where it lies.
        name: the same, as seen from the submission's folder; how that one is reached is up to whoever named it.

    Raises:
        LoadError: it is a link, a pipe or a device, or it has a second name.
        OSError: it cannot be opened.
    """
    try:
        descriptor = _open_below(file, Path(name).parts)
    except OSError as error:
        error.filename = str(file)  # of which the walk knows only a part
        raise
    opened = os.fdopen(descriptor, "rb")
    about = os.fstat(descriptor)
    refused = None
    if not stat.S_ISREG(about.st_mode):
        refused = "is not a plain file; put the file itself there"
    elif about.st_nlink > 1 and not file.resolve().is_relative_to(shipped("baselines").resolve()):
        # Installers link the harness's own files to their cache. Another's second name may be that of the answers.
        refused = "has another name besides (a hard link); put a copy of the file there"
    if refused is not None:
        opened.close()
        raise LoadError(f"{file}: {refused}")
    return opened


def _open_below(file: Path, parts: tuple[str, ...]) -> int:
    no_link = getattr(os, "O_NOFOLLOW", 0)
    # NONBLOCK: opening a named pipe would wait for its other end.
    flags = os.O_RDONLY | no_link | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not _WALKS:
        return os.open(file, flags)
    here = os.open(file.parents[len(parts) - 1], os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | no_link, dir_fd=here)
            os.close(here)
            here = below
        return os.open(parts[-1], flags, dir_fd=here)
    finally:
        os.close(here)
