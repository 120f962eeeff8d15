"""Reader for a folder of pictures and a CSV: in a row the name of a picture, and its keypoints' x and y in pixels.

The first line names the columns. The column whose cells name pictures may stand anywhere and be called anything, or
nothing. The keypoints are found by the layout's own names (``nose_tip_x``, ``nose_tip_y``, ...), among any other
columns, if one of them is there. Otherwise the other columns are the coordinates, in the order of the layout: those
called x and y, whichever way they are arranged, or else x and y in turn. ``box_left``, ``box_top``, ``box_right`` and
``box_bottom`` are the face's box, and the card may name a column of subjects. An empty cell is not labelled.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data_tables import PictureData
from harness.datasets.csv_table import LONGEST_LINE, CsvTable, read_table
from harness.datasets.readers.listed import PICTURES, Listed, find_picture
from harness.errors import DataError
from harness.keypoints import KeypointLayout

VERSION = 1
SUFFIX = ".csv"
_BOX = ("box_left", "box_top", "box_right", "box_bottom")
_MISSING = ("", "nan", "NaN", "NA")
_AXIS = re.compile(r"^([xy])(?![a-z])|(?<![a-z])([xy])$", re.IGNORECASE)


def list_faces(file: Path, images: Path, data: PictureData, layout: KeypointLayout) -> list[Listed]:
    """Every row of the CSV.

    Raises:
        DataError: it is not such a CSV; the message names line, column and remedy.
    """
    table = read_table(file, None, longest=LONGEST_LINE + 64 * len(layout.columns))
    pictures = _picture_column(table)
    by_column = None if data.subjects is None or "{subject}" in data.subjects else data.subjects
    if by_column is not None and by_column not in table.columns:
        raise DataError(
            f"{table.source}, line 1: there is no column {by_column!r}, which the card names for the subjects"
        )
    boxes = _numbers(table, [table.columns.index(name) for name in _BOX]) if set(_BOX) <= set(table.columns) else None
    apart = {*_BOX, by_column}
    others = [i for i, name in enumerate(table.columns) if i != pictures and name not in apart]
    points = _numbers(table, _coordinate_columns(table, others, layout)).reshape(-1, len(layout), 2)
    subjects = table.column(by_column) if by_column else [None] * len(table.rows)
    faces = []
    for row, cells in enumerate(table.rows):
        place = table.place(row)
        box = None if boxes is None or np.isnan(boxes[row]).any() else tuple(boxes[row].tolist())
        picture = find_picture(images, cells[pictures], place)
        if subjects[row] == "":
            raise table.error(row, str(by_column), "the cell is empty; name the person, or number the unknown ones")
        faces.append(Listed(place, picture, points[row], box, subjects[row]))
    return faces


def _picture_column(table: CsvTable) -> int:
    def named(cells: Sequence[str]) -> list[int]:
        return [i for i, cell in enumerate(cells) if cell.strip().lower().endswith(PICTURES)]

    if named(table.columns):
        raise DataError(
            f"{table.source}, line 1: is a row of data ({table.columns[named(table.columns)[0]][:60]!r}), and the "
            "names of the columns are missing; add a first line such as file,x1,y1,x2,y2"
        )
    found = named(table.rows[0])
    if len(found) != 1:
        raise DataError(
            f"{table.place(0)}: {len(found) or 'none'} of its cells names a picture ({', '.join(PICTURES[:3])}, ...); "
            "give each row the name of one"
        )
    return found[0]


def _coordinate_columns(table: CsvTable, others: Sequence[int], layout: KeypointLayout) -> list[int]:
    """The positions of the 2K columns in the order of the layout: x, y, x, y, ..."""
    names = [table.columns[i] for i in others]
    if set(names) & set(layout.columns):
        for name in layout.columns:
            if names.count(name) != 1:
                raise DataError(
                    f"{table.source}, line 1: column {name!r} stands there {names.count(name)} times; have each "
                    f"keypoint of layout {layout.name!r} once, or none by name"
                )
        return [others[names.index(name)] for name in layout.columns]
    if len(others) != 2 * len(layout):
        raise DataError(
            f"{table.source}, line 1: besides the names of pictures it has {len(others)} columns, and layout "
            f"{layout.name!r} has {len(layout)} keypoints, {2 * len(layout)} coordinates; correct the card's layout, "
            f"or name the columns {layout.columns[0]}, {layout.columns[1]} and so on"
        )
    axes = [_AXIS.search(name) for name in names]
    letters = [(match[1] or match[2]).lower() if match else "" for match in axes]
    if letters.count("x") == letters.count("y") == len(layout):
        xs, ys = ([i for i, letter in zip(others, letters, strict=True) if letter == axis] for axis in "xy")
        return [i for pair in zip(xs, ys, strict=True) for i in pair]
    return list(others)


def _numbers(table: CsvTable, columns: Sequence[int]) -> NDArray[np.float64]:
    """float64 (N, len(columns)), NaN where a cell is empty."""
    values = np.empty((len(table.rows), len(columns)))
    for row, cells in enumerate(table.rows):
        for i, column in enumerate(columns):
            cell = cells[column].strip()
            try:
                values[row, i] = math.nan if cell in _MISSING else float(cell)
            except ValueError as error:
                problem = f"{reprlib.repr(cell)} is not a number; write pixels, or nothing where nothing is labelled"
                raise table.error(row, table.columns[column], problem) from error
    return values
