"""Reader for WFLW's lists: a line for each face, its numbers and the path of its picture with blanks between.

The K points come first, x and y in turn; then, in the lists of ``list_98pt_rect_attr_train_test``, the box (left, top,
right, bottom) and six attributes, which are not used; then the path. ``list_98pt_test`` has the points and the path.
"""

from __future__ import annotations

import reprlib
from pathlib import Path

import numpy as np

from harness.data_tables import PictureData
from harness.datasets.readers.listed import Listed, find_picture
from harness.datasets.readers.text_file import read_text
from harness.errors import DataError
from harness.keypoints import KeypointLayout

VERSION = 1
SUFFIX = ".txt"
_MOST_BYTES = 2**28
_BOX, _ATTRIBUTES = 4, 6


def list_faces(file: Path, images: Path, data: PictureData, layout: KeypointLayout) -> list[Listed]:
    """Every line of the list.

    Raises:
        DataError: it is not such a list; the message names line and remedy.
    """
    coordinates = 2 * len(layout)
    faces = []
    for number, line in enumerate(read_text(file, _MOST_BYTES).splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{file}, line {number}"
        *cells, name = line.split()
        if len(cells) not in (coordinates, coordinates + _BOX + _ATTRIBUTES):
            raise DataError(
                f"{place}: has {len(cells)} numbers before the path, where {coordinates + _BOX + _ATTRIBUTES} should "
                f"be (the {coordinates} coordinates of layout {layout.name!r}, box and attributes), or the "
                f"{coordinates} alone"
            )
        values = _floats(cells[: coordinates + _BOX], place)
        points, box = values[:coordinates], values[coordinates:]
        faces.append(
            Listed(
                place,
                find_picture(images, name, place),
                np.array(points).reshape(-1, 2),
                (box[0], box[1], box[2], box[3]) if box else None,
            )
        )
    return faces


def _floats(cells: list[str], place: str) -> list[float]:
    values = []
    for i, cell in enumerate(cells, start=1):
        try:
            values.append(float(cell))
        except ValueError:
            raise DataError(f"{place}: its number {i} is {reprlib.repr(cell)}; write digits") from None
    return values
