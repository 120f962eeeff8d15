"""Reader for Kaggle's Facial Keypoints Detection files: training.csv, test.csv, IdLookupTable.csv, plain or zipped.

A row of ``training.csv`` is one face: two coordinates for each keypoint, empty where nobody labelled it, and ``Image``,
the grey values row by row. ``subjects.csv`` (``Row`` from 0, ``Subject``) may stand beside it and say who is shown.
A teacher's own held-out faces are another file of the same form.
"""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.csv_table import LONGEST_LINE, CsvTable, read_table, row_name
from harness.datasets.faces import FaceSet
from harness.datasets.grey_text import GreyTextError, parse_grey
from harness.datasets.packed import find_csv
from harness.datasets.split import near_duplicate_groups
from harness.errors import DataError
from harness.keypoints import KeypointLayout
from harness.subjects import number_of

VERSION = 1  # part of what prepared arrays are kept under; raise it whenever the same files would read differently


@dataclass(frozen=True)
class Lookup:
    """The M coordinates that Kaggle asks for, in the order of IdLookupTable.csv.

    Attributes:
        row_ids: int64 (M,), what an answer's row is called.
        image_ids: int64 (M,), ImageId of the test image.
        keypoints: int64 (M,), position of the keypoint on axis 1 of predictions (N, K, 2).
        axes: int64 (M,), 0 for x and 1 for y, their position on axis 2.
    """

    row_ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: NDArray[np.int64]
    axes: NDArray[np.int64]


def training_sources(folder: Path) -> list[Path]:
    """The files that ``read_training`` reads.

    Raises:
        DataError: the folder or its training file is missing.
    """
    subjects = (folder if folder.is_dir() else folder.parent) / "subjects.csv"
    return [find_csv(folder, "training"), *([subjects] if subjects.is_file() else [])]


def read_training(folder: Path, layout: KeypointLayout, image_size: tuple[int, int]) -> FaceSet:
    """Every row of training.csv or training.zip; ``image_size`` is (H, W).

    Keypoints of empty cells are NaN. Subjects are those of subjects.csv, as numbers that depend on the name alone;
    without it, groups of near-duplicate images.

    Raises:
        DataError: a file is missing, damaged or not in Kaggle's form; the message names file, line and column.
    """
    training, *subjects = training_sources(folder)
    table = _labelled_table(training, layout, image_size)
    keypoints = _keypoints(table, layout, image_size)
    images = _images(table, image_size)
    codes = _subjects(subjects[0], len(images)) if subjects else near_duplicate_groups(images)
    return FaceSet(images, keypoints, codes, layout)


def read_held_out(
    path: Path, training: NDArray[np.uint8], training_path: Path, layout: KeypointLayout, image_size: tuple[int, int]
) -> FaceSet:
    """Every row of a file of held-out faces, in the form of training.csv or zipped; ``image_size`` is (H, W).

    Subjects are groups of near-duplicate images, numbered from -1 down, so that none is also a subject of the training
    faces, which are numbered from 0 up.

    Args:
        training: images uint8 (N, H, W) of the training file, which must hold none of the held-out ones.
        training_path: that file, as error messages name it.

    Raises:
        DataError: the file is missing, damaged or not in Kaggle's form, no row of it has every keypoint, or one of its
            images is also a training image.
    """
    if path.suffix.lower() not in (".csv", ".zip", ".gz") or not path.is_file():
        raise DataError(f"{path} is not a .csv, .zip or .csv.gz file; name a file of labelled faces in Kaggle's layout")
    table = _labelled_table(path, layout, image_size)
    keypoints = _keypoints(table, layout, image_size)
    images = _images(table, image_size)
    faces = FaceSet(images, keypoints, -1 - near_duplicate_groups(images), layout)
    if not faces.complete.any():
        raise DataError(f"{table.source}: no row has all its keypoints, so there is nothing to score on; add some")
    rows = {image.tobytes(): row for row, image in enumerate(training)}
    shared = [(row, rows[image.tobytes()]) for row, image in enumerate(images) if image.tobytes() in rows]
    if shared:
        row, twin = shared[0]
        problem = f"the same image stands in {training_path}, {row_name(twin)}; take it out of one of the two files"
        more = f" ({len(shared)} rows are in both)" if len(shared) > 1 else ""
        raise table.error(row, "Image", problem + more)
    return faces


def read_test(folder: Path, image_size: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """ImageIds int64 (N,) and images uint8 (N, H, W) of test.csv or test.zip; ``image_size`` is (H, W).

    Raises:
        DataError: the file is missing, damaged or not in Kaggle's form.
    """
    table = read_table(find_csv(folder, "test"), ["ImageId", "Image"], longest=_longest_line(image_size, 1))
    return table.unique_integers("ImageId"), _images(table, image_size)


def read_lookup(folder: Path, layout: KeypointLayout) -> Lookup:
    """What IdLookupTable.csv (or .zip) asks for.

    Raises:
        DataError: the file is missing, damaged, asks for a coordinate that the layout lacks, or repeats a RowId.
    """
    table = read_table(find_csv(folder, "IdLookupTable"), ["RowId", "ImageId", "FeatureName"], optional=["Location"])
    position = {name: i for i, name in enumerate(layout.columns)}
    features = table.column("FeatureName")
    for row, name in enumerate(features):
        if name not in position:
            problem = f"{name!r} is not a coordinate of layout {layout.name!r}; correct it"
            raise table.error(row, "FeatureName", problem)
    keypoints, axes = np.divmod(np.array([position[name] for name in features], dtype=np.int64), 2)
    return Lookup(table.unique_integers("RowId"), table.integers("ImageId"), keypoints, axes)


def _longest_line(image_size: tuple[int, int], columns: int) -> int:
    """Characters of a line with an image and so many other cells; wide enough for four blanks after each number."""
    return LONGEST_LINE + 7 * math.prod(image_size) + 64 * columns


def _labelled_table(path: Path, layout: KeypointLayout, image_size: tuple[int, int]) -> CsvTable:
    longest = _longest_line(image_size, len(layout.columns))
    return read_table(path, [*layout.columns, "Image"], longest=longest)


def _images(table: CsvTable, image_size: tuple[int, int]) -> NDArray[np.uint8]:
    try:
        values = parse_grey(table.column("Image"), math.prod(image_size))
    except GreyTextError as error:
        raise table.error(error.row, "Image", str(error)) from error
    return values.reshape(-1, *image_size)


def _keypoints(table: CsvTable, layout: KeypointLayout, image_size: tuple[int, int]) -> NDArray[np.float32]:
    height, width = image_size
    points = np.empty((len(table.rows), len(layout.columns)))
    for i, name in enumerate(layout.columns):
        points[:, i] = _coordinates(table, name, limit=(width, height)[i % 2])
    missing = np.isnan(points).reshape(-1, len(layout), 2)
    half = np.argwhere(missing[..., 0] != missing[..., 1])
    if len(half):
        row, keypoint = half[0]
        axis = int(missing[row, keypoint, 1])
        raise table.error(
            int(row),
            layout.columns[2 * keypoint + axis],
            f"the cell is empty but the point's {'yx'[axis]} is not; fill in both or neither",
        )
    if missing.all():
        raise DataError(f"{table.source} has no keypoint in any row; fill in the coordinates of some faces")
    return points.reshape(-1, len(layout), 2).astype(np.float32)


def _coordinates(table: CsvTable, name: str, limit: int) -> NDArray[np.float64]:
    """float64 (N,): one column in pixels, NaN where empty.

    A pixel's centre is a whole number, so the image begins at -0.5 and ends at ``limit`` - 0.5. Labels made by hand are
    placed to a fraction of a pixel, and some are counted from the pixel's corner, so ``limit`` itself is allowed too.
    """
    cells = table.column(name)
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        try:
            values[row] = float(cell) if cell else math.nan
        except ValueError as error:
            problem = f"{reprlib.repr(cell)} is not a number; write pixels, or nothing where the point is not labelled"
            raise table.error(row, name, problem) from error
    outside = np.flatnonzero((values < -0.5) | (values > limit))
    if len(outside):
        row = int(outside[0])
        problem = f"{reprlib.repr(cells[row])} lies outside the image, which ends at {limit}; correct or empty the cell"
        raise table.error(row, name, problem)
    return values


def _subjects(path: Path, count: int) -> NDArray[np.int64]:
    """int64 (count,): the subject of every training row, as a number."""
    table = read_table(path, ["Row", "Subject"])
    rows = table.unique_integers("Row")
    for line, row in enumerate(rows):
        if row >= count:
            raise table.error(line, "Row", f"there is no data row {row} among {count}; rows count from 0")
    if len(rows) < count:
        absent = int(np.setdiff1d(np.arange(count), rows)[0])
        raise DataError(f"{path} names no subject for data row {absent} of {count}; add a line for every row")
    names = table.column("Subject")
    if "" in names:
        raise table.error(names.index(""), "Subject", "the cell is empty; name the person, or number the unknown ones")
    codes = np.empty(count, np.int64)
    codes[rows] = [number_of(name) for name in names]
    return codes
