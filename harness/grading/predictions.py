"""Predictions as files: ``.npy``, or CSV, wide (an image a row) or in Kaggle's long form (``RowId, Location``)."""

from __future__ import annotations

import csv
import io
import reprlib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.kaggle import Lookup
from harness.errors import DataError, LoadError, PredictionError
from harness.isolation.reader import LARGEST_COORDINATE, read_given, read_predictions
from harness.keypoints import KeypointLayout

_ID = "ImageId"
_MOST_PER_COORDINATE = 256  # bytes; the four columns of a filled-in IdLookupTable.csv take about 60


def read_file(path: Path, count: int, layout: KeypointLayout) -> NDArray[np.float32]:
    """Predictions (count, K, 2) from a ``.npy`` file or a CSV file, as `harness predict` writes them.

    Raises:
        LoadError: there is no such file.
        PredictionError: it does not hold one finite point per keypoint and image.
    """
    if path.suffix not in (".npy", ".csv") or not path.exists():
        raise LoadError(f"{path}: there is no such .npy or .csv file")
    if path.suffix == ".csv":
        return read_csv(path, count, layout)
    return read_predictions(path, (count, len(layout), 2))


def read_csv(path: Path, count: int, layout: KeypointLayout) -> NDArray[np.float32]:
    """Predictions for ``count`` images from a CSV file.

    Wide: columns ``ImageId`` (from 1) and the 2K coordinates, in any order. Long: ``RowId`` from 1 and ``Location``,
    with the coordinates of image 1 in the layout's order (x before y), then those of image 2, and so on.

    Returns:
        float32 (count, K, 2), pixels, finite.

    Raises:
        PredictionError: it is not a regular file or is larger than predictions for so many images could be, rows or
            columns are missing, doubled or unknown, or a cell is not a finite number; the message names the file, the
            row and the remedy.
    """
    coordinates = count * len(layout.columns)
    content = read_given(path, _MOST_PER_COORDINATE * coordinates)
    header = _header(path, content)
    if set(header) == {"RowId", "Location"}:
        ids, columns, wanted = "RowId", ["Location"], coordinates
    else:
        ids, columns, wanted = _ID, list(layout.columns), count
    _check_header(path, header, [ids, *columns])
    table = _table(path, content, wanted + 1)  # one row too many is enough to find an id that is unknown or doubled
    order = _check_ids(path, table[ids], wanted)
    values = _numbers(path, table[columns])
    return np.asarray(values[order], dtype=np.float32).reshape(count, len(layout), 2)


def write_wide(
    path: Path, predictions: NDArray[np.float32], image_ids: NDArray[np.integer], layout: KeypointLayout
) -> None:
    """Write predictions (N, K, 2) of images (N,) with an image a row, in the form that `read_csv` takes."""
    table = pd.DataFrame(predictions.reshape(len(predictions), -1), columns=list(layout.columns))
    table.insert(0, _ID, image_ids)
    table.to_csv(path, index=False, float_format="%.4f")


def write_long(path: Path, locations: NDArray[np.float32], row_ids: NDArray[np.integer]) -> None:
    """Write coordinates (M,) with their row ids (M,) as ``RowId, Location``."""
    pd.DataFrame({"RowId": row_ids, "Location": locations}).to_csv(path, index=False, float_format="%.4f")


def asked_locations(
    predictions: NDArray[np.float32], image_ids: NDArray[np.int64], lookup: Lookup
) -> NDArray[np.float32]:
    """The coordinates (M,) that a lookup table asks of predictions (N, K, 2) for images of these ids (N,).

    Raises:
        DataError: the table asks for an image that is not there.
    """
    position = pd.Index(image_ids).get_indexer(pd.Index(lookup.image_ids))
    if (position < 0).any():
        asked = lookup.image_ids[position < 0][0]
        raise DataError(f"IdLookupTable.csv asks for ImageId {asked}, which test.csv does not have; fetch both anew")
    return np.asarray(predictions[position, lookup.keypoints, lookup.axes])


def _header(path: Path, content: bytes) -> list[str]:
    """The cells of the first line, read alone: from a million columns pandas would make a million arrays."""
    try:
        lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
        return next(cells for cells in csv.reader(lines) if cells)
    except StopIteration:
        raise PredictionError(f"{path}: cannot be read as CSV: it is empty; predict every image") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise PredictionError(f"{path}: cannot be read as CSV: {error}") from error


def _check_header(path: Path, header: list[str], wanted: list[str]) -> None:
    counts = Counter(header)
    missing = [name for name in wanted if name not in counts]
    unknown = [name for name in counts if name not in wanted]
    doubled = [name for name in wanted if counts[name] > 1]
    if missing or unknown or doubled:
        problems = [f"column {missing[0]!r} is missing"] if missing else []
        problems += [f"column {reprlib.repr(unknown[0])} is not known"] if unknown else []
        problems += [f"column {doubled[0]!r} is there {counts[doubled[0]]} times"] if doubled else []
        raise PredictionError(
            f"{path}, line 1: {' and '.join(problems)}; the columns are {_ID} and {wanted[1]}, ... an image a row, "
            "or RowId and Location"
        )


def _table(path: Path, content: bytes, most_rows: int) -> pd.DataFrame:
    try:
        # As text, so that a bad cell can be shown as it was written.
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, nrows=most_rows)
    except (ValueError, UnicodeDecodeError) as error:
        raise PredictionError(f"{path}: cannot be read as CSV: {error}") from error


def _check_ids(path: Path, cells: pd.Series[str], wanted: int) -> NDArray[np.intp]:
    """The order of the rows by id, once every id from 1 to ``wanted`` is there exactly once."""
    name = cells.name
    ids = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~(np.isfinite(ids) & (ids == np.floor(ids)) & (ids >= 1) & (ids <= wanted))
    if bad.any():
        row = int(np.argmax(bad))
        raise PredictionError(
            f"{path}, line {row + 2}: {name} {reprlib.repr(cells.iloc[row])} is not one of 1 to {wanted}"
        )
    doubled = pd.Series(ids).duplicated().to_numpy()
    if doubled.any():
        row = int(np.argmax(doubled))
        raise PredictionError(f"{path}, line {row + 2}: {name} {cells.iloc[row]} is there twice; keep one row for each")
    if len(ids) < wanted:
        first = int(np.setdiff1d(np.arange(1, wanted + 1), ids)[0])
        raise PredictionError(
            f"{path}: {wanted - len(ids)} of {wanted} rows are missing, first {name} {first}; predict every image"
        )
    return np.argsort(ids)


def _numbers(path: Path, cells: pd.DataFrame) -> NDArray[np.float64]:
    numbers = np.asarray(cells.apply(pd.to_numeric, errors="coerce"), dtype=np.float64)
    bad = ~(np.abs(numbers) <= LARGEST_COORDINATE)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        cell = cells.iat[row, column]
        raise PredictionError(
            f"{path}, line {row + 2}, column {cells.columns[column]!r}: "
            + (f"{reprlib.repr(cell)} is not a number of pixels" if cell else "the cell is empty")
            + "; predict every keypoint of every image"
        )
    return numbers
