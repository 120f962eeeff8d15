"""Predictions as files: ``.npy``, ``.npz``, or CSV, wide (an image a row) or in Kaggle's long form, with a row for each
coordinate (``RowId, Location``, or ``IdLookupTable.csv`` filled in).
"""

from __future__ import annotations

import csv
import io
import itertools
import reprlib
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.csv_table import as_written, separator_of
from harness.datasets.packed import DAMAGED_ARCHIVE
from harness.datasets.readers.kaggle import Lookup
from harness.errors import DataError, LoadError, PredictionError
from harness.isolation.reader import LARGEST_COORDINATE, npy_cap, parse_predictions, read_given
from harness.keypoints import KeypointLayout
from harness.text import plain

_ID = "ImageId"
_NAMED = {_ID, "FeatureName", "Location"}
_MOST_PER_COORDINATE = 256  # bytes; the four columns of a filled-in IdLookupTable.csv take about 60


def read_file(path: Path, count: int, layout: KeypointLayout) -> NDArray[np.float32]:
    """Predictions (count, K, 2) from a ``.npy``, ``.npz`` or CSV file, such as `harness predict` writes.

    Raises:
        LoadError: there is no such file.
        PredictionError: it does not hold one finite point per keypoint and image.
    """
    kind = path.suffix.lower()
    if kind not in (".npy", ".npz", ".csv") or not path.exists():
        raise LoadError(f"{path}: there is no such .npy, .npz or .csv file")
    if kind == ".csv":
        return read_csv(path, count, layout)
    shape = count, len(layout), 2
    if kind == ".npz":
        return parse_predictions(str(path), _only_array(path, npy_cap(shape)), shape)
    return parse_predictions(str(path), read_given(path, npy_cap(shape)), shape)


def _only_array(path: Path, cap: int) -> bytes:
    """The ``.npy`` file in a ``.npz`` file, at most ``cap`` bytes."""
    content = read_given(path, 2 * cap)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) != 1:
                names = reprlib.repr([plain(each.filename) for each in members])
                raise PredictionError(f"{path} holds {len(members)} arrays {names}; save the predictions alone")
            if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise PredictionError(f"{path} is packed in a rare way; write it with numpy.savez")
            with archive.open(members[0]) as member:
                array = member.read(cap + 1)
    except (*DAMAGED_ARCHIVE, OSError) as error:
        raise PredictionError(f"{path} cannot be read as .npz ({error}); write it with numpy.savez") from error
    if len(array) > cap:
        raise PredictionError(f"{path} holds more than predictions for these images; write one point for each keypoint")
    return array


def read_csv(path: Path, count: int, layout: KeypointLayout) -> NDArray[np.float32]:
    """Predictions for ``count`` images from a CSV file.

    Wide: columns ``ImageId`` (from 1) and the 2K coordinates, in any order. Long: ``RowId`` from 1 and ``Location``,
    with the coordinates of image 1 in the layout's order (x before y), then those of image 2, and so on. Where
    ``ImageId`` and ``FeatureName`` stand beside ``Location``, they say which coordinate it is, whatever ``RowId`` says.

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
    if _NAMED <= set(header) <= {*_NAMED, "RowId"}:
        _check_header(path, header, header)
        table = _table(path, content, header, coordinates + 1)
        order = _check_named(path, table, count, layout)
        values = _numbers(path, "Location", table["Location"])
        return np.asarray(values[order], dtype=np.float32).reshape(count, len(layout), 2)
    if set(header) == {"RowId", "Location"}:
        ids, columns, wanted = "RowId", ["Location"], coordinates
    else:
        ids, columns, wanted = _ID, list(layout.columns), count
    _check_header(path, header, [ids, *columns])
    table = _table(path, content, header, wanted + 1)  # one row too many shows an id that is unknown or doubled
    order = _check_ids(path, ids, table[ids], wanted)
    values = np.column_stack([_numbers(path, name, table[name]) for name in columns])
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
    for cells in _rows(path, content):
        return cells
    raise PredictionError(f"{path}: cannot be read as CSV: it is empty; predict every image")


def _rows(path: Path, content: bytes) -> Iterator[list[str]]:
    """The cells of each line that is not blank; a cell keeps to its line."""
    lines = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig")
    mark = ""
    try:
        for line in lines:
            if line.strip():
                mark = mark or separator_of(line)
                for row in csv.reader([line], delimiter=mark, strict=True):
                    yield [as_written(cell, mark) for cell in row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise PredictionError(f"{path}: cannot be read as CSV: {error}; save it as a UTF-8 CSV") from error


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
            "or RowId and Location, or those of IdLookupTable.csv"
        )


def _table(path: Path, content: bytes, header: list[str], most_rows: int) -> dict[str, list[str]]:
    """Column -> its cells as text, so that a bad one can be shown as it was written."""
    rows = list(itertools.islice(_rows(path, content), 1, most_rows + 1))
    for row, cells in enumerate(rows):
        if len(cells) != len(header):
            raise PredictionError(
                f"{path}, line {row + 2}: has {len(cells)} cells where the first line has {len(header)}; write one for "
                "each column"
            )
    return {name: [cells[position] for cells in rows] for position, name in enumerate(header)}


def _check_ids(path: Path, name: str, cells: list[str], wanted: int) -> NDArray[np.intp]:
    """The order of the rows by id, once every id from 1 to ``wanted`` is there exactly once."""
    ids = _as_numbers(cells)
    bad = ~(np.isfinite(ids) & (ids == np.floor(ids)) & (ids >= 1) & (ids <= wanted))
    if bad.any():
        row = int(np.argmax(bad))
        raise PredictionError(f"{path}, line {row + 2}: {name} {reprlib.repr(cells[row])} is not one of 1 to {wanted}")
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    doubled = first[inverse] != np.arange(len(ids))
    if doubled.any():
        row = int(np.argmax(doubled))
        raise PredictionError(f"{path}, line {row + 2}: {name} {cells[row]} is there twice; keep one row for each")
    if len(ids) < wanted:
        first_missing = int(np.setdiff1d(np.arange(1, wanted + 1), ids)[0])
        raise PredictionError(
            f"{path}: {wanted - len(ids)} of {wanted} rows are missing, first {name} {first_missing}; predict every "
            "image"
        )
    return np.argsort(ids)


def _check_named(path: Path, table: dict[str, list[str]], count: int, layout: KeypointLayout) -> NDArray[np.intp]:
    """The order of the rows by image and coordinate, once every one of them is there exactly once."""
    position = {name: i for i, name in enumerate(layout.columns)}
    for row, name in enumerate(table["FeatureName"]):
        if name not in position:
            raise PredictionError(
                f"{path}, line {row + 2}: FeatureName {reprlib.repr(name)} is not a coordinate of layout "
                f"{layout.name!r}; correct it"
            )
    images = _as_numbers(table[_ID])
    bad = ~(np.isfinite(images) & (images == np.floor(images)) & (images >= 1) & (images <= count))
    if bad.any():
        row = int(np.argmax(bad))
        raise PredictionError(
            f"{path}, line {row + 2}: {_ID} {reprlib.repr(table[_ID][row])} is not one of 1 to {count}"
        )
    features = np.array([position[name] for name in table["FeatureName"]], dtype=np.int64)
    places = (images.astype(np.int64) - 1) * len(position) + features
    _, first, inverse = np.unique(places, return_index=True, return_inverse=True)
    doubled = first[inverse] != np.arange(len(places))
    if doubled.any():
        row = int(np.argmax(doubled))
        what = f"{table['FeatureName'][row]} of {_ID} {int(images[row])}"
        raise PredictionError(f"{path}, line {row + 2}: {what} is there twice; keep one row for each")
    missing = np.setdiff1d(np.arange(count * len(position)), places)
    if len(missing):
        image, feature = divmod(int(missing[0]), len(position))
        raise PredictionError(
            f"{path}: {len(missing)} of {count * len(position)} rows are missing, first {layout.columns[feature]} of "
            f"{_ID} {image + 1}; predict every keypoint of every image"
        )
    return np.argsort(places)


def _numbers(path: Path, column: str, cells: list[str]) -> NDArray[np.float64]:
    numbers = _as_numbers(cells)
    bad = ~(np.abs(numbers) <= LARGEST_COORDINATE)
    if bad.any():
        row = int(np.argmax(bad))
        raise PredictionError(
            f"{path}, line {row + 2}, column {column!r}: "
            + (f"{reprlib.repr(cells[row])} is not a number of pixels" if cells[row] else "the cell is empty")
            + "; predict every keypoint of every image"
        )
    return numbers


def _as_numbers(cells: list[str]) -> NDArray[np.float64]:
    """float64 (N,); NaN where a cell is not a number."""
    return pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
