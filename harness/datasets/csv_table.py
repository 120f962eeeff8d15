"""CSV files, plain or packed, whose errors point at the line and the column."""

from __future__ import annotations

import csv
import io
import itertools
import re
import reprlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.packed import DAMAGED_ARCHIVE, name_in_zip, opened
from harness.errors import DataError

LONGEST_LINE = 1 << 14  # characters, an image not counted
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


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

    def place(self, row: int) -> str:
        """What error messages call a data row; it counts from 0."""
        return f"{self.source}, {row_name(row)}"

    def error(self, row: int, column: str, problem: str) -> DataError:
        """What to raise about one cell; ``row`` counts data rows from 0."""
        return DataError(f"{self.place(row)}, column {column!r}: {problem}")


def row_name(row: int) -> str:
    """What error messages call a data row, counted from 0: editors count lines from 1, and the header is the first."""
    return f"line {row + 2} (data row {row})"


def separator_of(line: str) -> str:
    """What stands between the cells of a table whose first line this is."""
    return next((mark for mark in (",", ";", "\t") if mark in line), ",")


def as_written(cell: str, mark: str) -> str:
    """A cell with a point in its number: where a comma does not separate cells, it may stand in a number."""
    return cell if mark == "," or not _DECIMAL_COMMA.fullmatch(cell) else cell.replace(",", ".")


def read_table(
    path: Path, required: Sequence[str] | None, optional: Sequence[str] = (), longest: int = LONGEST_LINE
) -> CsvTable:
    """Read a CSV file, plain, gzipped, or that of the same stem inside a zip file.

    The columns may stand in any order. Semicolons or tabs may separate the cells; then numbers may be written with a
    decimal comma. Lines end in LF or CRLF; a byte order mark and quotes are allowed, line breaks
    within quotes are not. It is read line by line and given up at the first that is wrong.

    Args:
        path: the file.
        required, optional: the names of its columns; where ``required`` is None it may have any.
        longest: characters of a line.

    Raises:
        DataError: the file cannot be read or unpacked, is too large, has other columns than it should, a line with
            too few or too many cells, or no data row.
    """
    source = str(path) if path.suffix.lower() != ".zip" else f"{path}: {name_in_zip(path)}"
    lines = _lines(path, source, longest)
    first = next(lines, "")
    mark = separator_of(first)
    header = _cells(source, first, "line 1", mark)
    if required is not None:
        _check_columns(source, header, required, optional)
    elif not header:
        raise DataError(f"{source}, line 1: is empty; write the names of the columns there")
    rows: list[list[str]] = []
    blank = 0  # lines since the last row; at the end they are nothing
    for line in lines:
        if not line:
            blank += 1
            continue
        cells = [""] if blank else _cells(source, line, row_name(len(rows)), mark)
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
        with opened(path) as file:
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
    except DAMAGED_ARCHIVE as error:
        raise DataError(f"{path} cannot be unzipped ({error}); download or zip it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}); check the disk and its rights") from error


def _cells(source: str, line: str, place: str, mark: str) -> list[str]:
    if not line:
        return []
    cells = line.split(mark)
    if '"' in line:  # quotes are rare, and the csv module takes longer than everything else here taken together
        try:
            cells = next(csv.reader([line], delimiter=mark, strict=True))
        except csv.Error as error:
            raise DataError(
                f"{source}, {place}: has cells that cannot be unquoted ({error}); save it without quotes"
            ) from None
    return cells if mark == "," else [as_written(cell, mark) for cell in cells]


def _check_columns(source: str, header: Sequence[str], required: Sequence[str], optional: Sequence[str]) -> None:
    counts = Counter(header)
    for name in header:
        if name not in required and name not in optional:
            raise DataError(
                f"{source}, line 1: column {reprlib.repr(name)} is not known here; "
                + ("remove or rename it" if len(header) > 1 else "separate the columns by commas")
            )
        if counts[name] > 1:
            raise DataError(f"{source}, line 1: column {name!r} stands there {counts[name]} times; keep one")
    missing = [name for name in required if name not in counts]
    if missing:
        raise DataError(f"{source}, line 1: column {missing[0]!r} is missing ({len(missing)} in all); add it")
