"""Files that a command line asks for: tried before training, and written whole or not at all."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.errors import MachineError


def try_files(*paths: Path | None) -> None:
    """Make sure that files can be written, and remove those of an earlier command, which might pass for this one's.

    Raises:
        MachineError: one cannot be written; the others are removed all the same.
    """
    problems = []
    for path in paths:
        if path is None or _is_special(path):
            continue
        try:
            if path.is_dir():
                raise MachineError(f"{path}: is a folder; name a file in it")
            try_folder(path.parent)
            path.unlink(missing_ok=True)
        except MachineError as error:
            problems.append(error)
    if problems:
        raise problems[0]


def try_folder(folder: Path | None) -> None:
    """Make sure that a folder can be written to, making it where it is missing.

    Raises:
        MachineError: it cannot.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise MachineError(f"{folder}: cannot be written to: {error.strerror}; name another place") from error


def write(path: Path, content: str | bytes) -> None:
    """Write a file that the command line asks for.

    Raises:
        MachineError: it could not be written.
    """
    from harness.files import write_atomically

    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_special(path):
            path.write_bytes(data)  # replacing /dev/stdout by a file would break it for every program
        else:
            write_atomically(path, data)
    except OSError as error:
        raise MachineError(f"{path}: could not be written: {error.strerror}") from error


def append(path: Path, content: str) -> None:
    """Add to a file that others write to as well.

    Raises:
        MachineError: it could not be written.
    """
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        raise MachineError(f"{path}: could not be written: {error.strerror}") from error


def _is_special(path: Path) -> bool:
    return path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir())
