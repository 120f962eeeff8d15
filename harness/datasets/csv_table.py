"""CSV files in a folder, plain or zipped, whose errors point at the line and the column."""

from __future__ import annotations

import csv
import io
import itertools
import reprlib
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.text import plain
from harness.units import format_bytes

LONGEST_LINE = 1 << 14  # characters, an image not counted
MOST_TIMES = 50  # grey values as text pack to a fifth, drawn ones to a twentieth
UNPACKED_FREELY = 16 << 20  # bytes; what is small may pack as well as it likes
MAX_BYTES = 2 << 30  # Kaggle's training.csv has 0.24 GiB; what unpacks to more than this is a mistake or a bomb


@dataclass(frozen=True)
class CsvTable:
    """The cells of one CSV file.

    Attributes:
        source: the file, as error messages name it.
        columns: the names in the first line.
        rows: one list of cells a data row, each as long as ``columns``; at least one row.
    """

    source: str
    columns: tuple[str, ...]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """The cells of one column, from the top down."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def integers(self, name: str) -> NDArray[np.int64]:
        """int64 (N,): a column of whole numbers, each at least 0.

        Raises:
            DataError: a cell is anything else.
        """
        cells = self.column(name)
        for row, cell in enumerate(cells):
            if not (cell.isascii() and cell.isdigit() and len(cell) <= 18):
                raise self.error(row, name, f"{reprlib.repr(cell)} is not a whole number from 0; write digits only")
        return np.array([int(cell) for cell in cells], dtype=np.int64)

    def unique_integers(self, name: str) -> NDArray[np.int64]:
        """int64 (N,): like ``integers``, where no number may occur twice.

        Raises:
            DataError: a cell is not a whole number or repeats one above it.
        """
        numbers = self.integers(name)
        _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
        repeats = np.flatnonzero(first[inverse] != np.arange(len(numbers)))
        if len(repeats):
            row = int(repeats[0])
            raise self.error(row, name, f"{numbers[row]} occurred before; keep one row for each {name}")
        return numbers

    def error(self, row: int, column: str, problem: str) -> DataError:
        """What to raise about one cell; ``row`` counts data rows from 0."""
        return DataError(f"{self.source}, {row_name(row)}, column {column!r}: {problem}")


def row_name(row: int) -> str:
    """What error messages call a data row, counted from 0: editors count lines from 1, and the header is the first."""
    return f"line {row + 2} (data row {row})"


def source_name(path: Path) -> str:
    """What error messages call a file, or the one of the same stem inside a zip file."""
    return str(path) if path.suffix != ".zip" else f"{path}: {path.stem}.csv"


def find_csv(folder: Path, stem: str) -> Path:
    """``stem.csv`` in the folder or, failing that, ``stem.zip``.

    Raises:
        DataError: there is no such folder or neither file.
    """
    if not folder.is_dir():
        raise DataError(f"the data folder {folder} does not exist; name the folder that holds {stem}.csv or {stem}.zip")
    for path in (folder / f"{stem}.csv", folder / f"{stem}.zip"):
        if path.is_file():
            return path
    raise DataError(f"{folder} holds neither {stem}.csv nor {stem}.zip; put one of them there")


def read_table(
    path: Path, required: Sequence[str], optional: Sequence[str] = (), longest: int = LONGEST_LINE
) -> CsvTable:
    """Read a CSV file, or the one of the same stem inside a zip file.

    The columns may stand in any order. Lines end in LF or CRLF; a byte order mark and quotes are allowed, line breaks
    within quotes are not. It is read line by line and given up at the first that is wrong.

    Args:
        path: the file.
        required, optional: the names of its columns.
        longest: characters of a line.

    Raises:
        DataError: the file cannot be read or unpacked, is too large, has other columns than it should, a line with
            too few or too many cells, or no data row.
    """
    source = source_name(path)
    lines = _lines(path, source, longest)
    header = _cells(source, next(lines, ""), "line 1")
    _check_columns(source, header, required, optional)
    rows: list[list[str]] = []
    blank = 0  # lines since the last row; at the end they are nothing
    for line in lines:
        if not line:
            blank += 1
            continue
        cells = [""] if blank else _cells(source, line, row_name(len(rows)))
        if len(cells) != len(header):
            name = header[min(len(cells), len(header) - 1)]
            raise DataError(
                f"{source}, {row_name(len(rows))}, column {name!r}: the line has {len(cells)} cells where the first "
                f"has {len(header)}; write one for each"
            )
        rows.append(cells)
    if not rows:
        raise DataError(f"{source} has no data rows below its first line; download or write it again")
    return CsvTable(source, tuple(header), rows)


def _lines(path: Path, source: str, longest: int) -> Iterator[str]:
    """Its lines without their ends, each once it is asked for."""
    try:
        with _opened(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig")
            for number in itertools.count(1):
                line = text.readline(longest + 2)
                if not line:
                    return
                if len(line) > longest + 1:
                    raise DataError(
                        f"{source}, line {number}: has more than {longest:,} characters; check that it is the right "
                        "file, and that each row has a line of its own"
                    )
                yield line.rstrip("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{source} is not text (byte {error.start} is not UTF-8); save it as a UTF-8 CSV") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise DataError(f"{path} cannot be unzipped ({error}); download or zip it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check the disk and its rights") from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".zip":
        with path.open("rb") as file:
            _check_size(str(path), path.stat().st_size)
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        name = f"{path.stem}.csv"
        found = [each for each in archive.infolist() if PurePosixPath(each.filename).name == name]
        if not found:
            raise DataError(f"{path} has no {name} inside; zip that file, or put {name} beside it unzipped")
        _check_member(path, found[0])
        with archive.open(found[0]) as file:
            yield file


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    # The sizes are only what the archive claims, but zipfile never unpacks more than that.
    source = f"{path}: {plain(member.filename)}"
    _check_size(source, member.file_size)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{source} is packed in a rare way; zip it again with the usual one (deflate)")
    if member.file_size > UNPACKED_FREELY + MOST_TIMES * path.stat().st_size:
        raise DataError(
            f"{source} says that it unpacks to {format_bytes(member.file_size)}, more than {MOST_TIMES} times what the "
            "archive has, which no table of faces does; check that it is the right file, or unzip it yourself"
        )


def _check_size(source: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"{source} has {size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} GiB that a table may have; "
            "check that it is the right file"
        )


def _cells(source: str, line: str, place: str) -> list[str]:
    if not line:
        return []
    if '"' not in line:  # quotes are rare, and the csv module takes longer than everything else here taken together
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise DataError(
            f"{source}, {place}: has cells that cannot be unquoted ({error}); save it without quotes"
        ) from None


def _check_columns(source: str, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    counts = Counter(header)
    for name in header:
        if name not in required and name not in optional:
            raise DataError(f"{source}, line 1: column {name!r} is not known here; remove or rename it")
        if counts[name] > 1:
            raise DataError(f"{source}, line 1: column {name!r} stands there {counts[name]} times; keep one")
    missing = [name for name in required if name not in counts]
    if missing:
        raise DataError(f"{source}, line 1: column {missing[0]!r} is missing ({len(missing)} in all); add it")
