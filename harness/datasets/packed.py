"""Finds and opens a table wherever people keep it: plain, gzipped, zipped, or in the archive that Kaggle hands out.

A table in an archive has a path that goes through it: ``facial-keypoints-detection.zip/training.zip``.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from harness.errors import DataError
from harness.text import plain
from harness.units import format_bytes

MOST_TIMES = 50  # grey values as text pack to a fifth, drawn ones to a twentieth
UNPACKED_FREELY = 16 << 20  # bytes; what is small may pack as well as it likes
MAX_BYTES = 2 << 30  # Kaggle's training.csv has 0.24 GiB; what unpacks to more than this is a mistake or a bomb
DAMAGED_ARCHIVE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What zipfile raises at an archive that is not what it says."""

_MOST_SEARCHED = 200  # folders and archives


def find_csv(folder: Path, stem: str) -> Path:
    """``stem.csv`` in a folder, zipped or gzipped, in a folder or an archive below it, or in the archive of this name.

    Case does not count. A file that is named directly comes first; other tables are then sought beside it.

    Raises:
        DataError: there is no such folder or file, no such table, or more than one.
    """
    names = [f"{stem}{suffix}".lower() for suffix in (".csv", ".zip", ".csv.zip", ".csv.gz")]
    if folder.is_file():
        if folder.name.lower() in names:
            return folder
        found = [folder / name for name in _inside(folder, names)] or _directly(folder.parent, names)
    elif folder.is_dir():
        found = _directly(folder, names) or _below(folder, names)
    else:
        raise DataError(f"the data folder {folder} does not exist; name the folder that holds {stem}.csv or {stem}.zip")
    if len(found) > 1:
        raise DataError(f"{folder} holds {found[0]} and {found[1]}; name one of them")
    if not found:
        raise DataError(f"{folder} holds neither {stem}.csv nor {stem}.zip; put one of them there")
    return found[0]


def on_disk(path: Path) -> Path:
    """The file itself, or the archive that a path goes through."""
    return next((each for each in (path, *path.parents) if each.is_file()), path)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a table, unpacked as they are read; never more than a table of faces may have.

    Raises:
        DataError: the archive lacks the table, or what it unpacks to is too large.
        OSError: a file cannot be read.
    """
    disk = on_disk(path)
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(disk.open("rb"))
        size = disk.stat().st_size
        _check_size(str(disk), size)
        here = disk
        for name in path.relative_to(disk).parts:
            file, size = _member(stack, here, file, size, name)
            here /= name
            if name.lower().endswith(".zip"):  # is read from its end
                whole = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(file, whole)
                file = whole
        if here.suffix.lower() == ".zip":
            file, _ = _member(stack, here, file, size, name_in_zip(here))
        elif here.suffix.lower() == ".gz":
            limit = min(MAX_BYTES, UNPACKED_FREELY + MOST_TIMES * size)
            unzipped = stack.enter_context(gzip.open(file))
            file = io.BufferedReader(_Bounded(str(here), unzipped, limit))
        yield file


def name_in_zip(path: Path) -> str:
    """What the table in a zip file is called."""
    return path.stem if path.stem.lower().endswith(".csv") else f"{path.stem}.csv"


class _Bounded(io.RawIOBase):
    """A stream that ends in an error once more than ``limit`` bytes have come out of it."""

    def __init__(self, source: str, file: gzip.GzipFile, limit: int) -> None:
        self._source, self._file, self._limit, self._read = source, file, limit, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # Buffer comes with 3.12
        """Read as `io.RawIOBase` says."""
        count = self._file.readinto(buffer)
        self._read += count
        if self._read > self._limit:
            raise _too_large(self._source, f"unpacks to more than {format_bytes(self._limit)}")
        return count


def _directly(folder: Path, names: Sequence[str]) -> list[Path]:
    """The first of the names in this folder."""
    files = {each.name.lower(): each for each in folder.iterdir() if each.name.lower() in names and each.is_file()}
    return [files[name] for name in names if name in files][:1]


def _below(folder: Path, names: Sequence[str]) -> list[Path]:
    """What is in the folders below, or else in the archives in this one."""
    shown = sorted(islice((each for each in folder.iterdir() if not each.name.startswith(".")), 100 * _MOST_SEARCHED))
    folders = [each for each in shown if each.is_dir()][:_MOST_SEARCHED]
    archives = [each for each in shown if each.suffix.lower() == ".zip" and each.is_file()][:_MOST_SEARCHED]
    return [found for each in folders for found in _directly(each, names)] or [
        each / name for each in archives for name in _inside(each, names)
    ]


def _inside(path: Path, names: Sequence[str]) -> list[str]:
    """The first of the names in an archive."""
    if path.suffix.lower() != ".zip":
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.lower(): name for name in map(_base, archive.infolist())}
    except (*DAMAGED_ARCHIVE, OSError):
        return []
    return [members[name] for name in names if name in members][:1]


def _base(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).name


def _member(stack: ExitStack, path: Path, file: IO[bytes], size: int, name: str) -> tuple[IO[bytes], int]:
    """The table or archive of this name in a zip file of ``size`` bytes, and how many it unpacks to."""
    archive = stack.enter_context(zipfile.ZipFile(file))
    found = [each for each in archive.infolist() if _base(each).lower() == name.lower()]
    if not found:
        raise DataError(f"{path} has no {name} inside; zip that file, or put {name} beside it unzipped")
    member = found[0]
    # The sizes are only what the archive claims, but zipfile never unpacks more than that.
    source = f"{path}: {plain(member.filename)}"
    _check_size(source, member.file_size)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{source} is packed in a rare way; zip it again with the usual one (deflate)")
    if member.file_size > UNPACKED_FREELY + MOST_TIMES * size:
        raise _too_large(source, f"says that it unpacks to {format_bytes(member.file_size)}")
    return stack.enter_context(archive.open(member)), member.file_size


def _too_large(source: str, what: str) -> DataError:
    return DataError(
        f"{source} {what}, more than {MOST_TIMES} times what the archive has, which no table of faces does; check that "
        "it is the right file, or unzip it yourself"
    )


def _check_size(source: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"{source} has {size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} GiB that a table may have; "
            "check that it is the right file"
        )
