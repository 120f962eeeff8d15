"""CSV files in a folder, plain or zipped, whose errors point at the line and the column."""

from __future__ import annotations

import csv
import reprlib
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

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


def read_table(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> CsvTable:
    """Read a CSV file, or the one of the same stem inside a zip file.

    The columns may stand in any order. Lines end in LF or CRLF; a byte order mark and quotes are allowed.

    Raises:
        DataError: the file cannot be read or unpacked, is too large, has other columns than it should, a line with
            too few or too many cells, or no data row.
    """
    source = str(path) if path.suffix != ".zip" else f"{path}: {path.stem}.csv"
    try:
        text = _contents(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{source} is not text (byte {error.start} is not UTF-8); save it as a UTF-8 CSV") from error
    header, *rows = _cells(source, text) or [[]]
    _check_columns(source, header, required, optional)
    table = CsvTable(source, tuple(header), rows)
    if not rows:
        raise DataError(f"{source} has no data rows below its first line; download or write it again")
    for row, cells in enumerate(rows):
        if len(cells) != len(header):
            name = header[min(len(cells), len(header) - 1)]
            raise table.error(
                row, name, f"the line has {len(cells)} cells where the first has {len(header)}; write one for each"
            )
    return table


def _contents(path: Path) -> bytes:
    try:
        if path.suffix != ".zip":
            _check_size(str(path), path.stat().st_size)
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            name = f"{path.stem}.csv"
            for member in archive.infolist():
                if PurePosixPath(member.filename).name == name:
                    # The size is only what the archive claims, but zipfile never unpacks more than that.
                    _check_size(f"{path}: {member.filename}", member.file_size)
                    return archive.read(member)
            raise DataError(f"{path} has no {name} inside; zip that file, or put {name} beside it unzipped")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} cannot be unzipped ({error}); download or zip it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check the disk and its rights") from error


def _check_size(source: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"{source} has {size / 2**30:.1f} GiB, more than the {MAX_BYTES / 2**30:.0f} GiB that a table may have; "
            "check that it is the right file"
        )


def _cells(source: str, text: str) -> list[list[str]]:
    lines = text.splitlines()
    try:
        # Quotes are rare, and the csv module takes longer than everything else here taken together.
        rows = list(csv.reader(lines, strict=True)) if '"' in text else [line.split(",") for line in lines]
    except csv.Error as error:
        raise DataError(f"{source} has cells that cannot be unquoted ({error}); save it without quotes") from error
    while rows and rows[-1] in ([], [""]):
        rows.pop()
    return rows


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
