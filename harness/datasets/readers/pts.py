"""Reader for the ``.pts`` files of 300-W: one beside each picture, of the same name.

    version: 1
    n_points: 68
    {
    446.0 91.3
    ...
    }

Their pixels count from 1; here they count from 0.
"""

from __future__ import annotations

import os
import re
import reprlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data_tables import PictureData
from harness.datasets.readers.listed import PICTURES, Listed
from harness.datasets.readers.text_file import read_text
from harness.errors import DataError
from harness.keypoints import KeypointLayout

VERSION = 1
SUFFIX = ".pts"
_MOST_BYTES = 2**20
_FORM = re.compile(r"\s*version:\s*\S{1,20}\s+n_points:\s*(\d{1,6})\s*\{([^{}]*)\}\s*", re.ASCII)


def list_faces(folder: Path, images: Path, data: PictureData, layout: KeypointLayout) -> list[Listed]:
    """Every ``.pts`` file in the folder and those below it, in the order of their paths.

    The picture of ``a/b.pts`` is ``a/b.jpg``, or one with another ending, below ``images``.

    Raises:
        DataError: a file is not in this form, or has no picture.
    """
    files = points_files(folder)
    pictures = _pictures(images)
    return [
        Listed(str(file), _picture_of(file.relative_to(folder), images, pictures), _points(file, layout))
        for file in files
    ]


def points_files(folder: Path) -> list[Path]:
    """Every ``.pts`` file in the folder and those below it."""
    return sorted(
        Path(here) / name for here, _, names in os.walk(folder) for name in names if name.lower().endswith(SUFFIX)
    )


def _pictures(folder: Path) -> dict[Path, list[Path]]:
    """Path without its ending, relative to the folder -> the pictures of that name."""
    found: dict[Path, list[Path]] = {}
    for here, _, names in os.walk(folder):
        for name in sorted(names):
            if name.lower().endswith(PICTURES):
                path = Path(here) / name
                found.setdefault(path.relative_to(folder).with_suffix(""), []).append(path)
    return found


def _picture_of(file: Path, images: Path, pictures: dict[Path, list[Path]]) -> Path:
    found = pictures.get(file.with_suffix(""), [])
    if len(found) != 1:
        problem = "there is no picture" if not found else f"there are {len(found)} pictures"
        remedy = "keep one" if found else "put it beside the file, or take the file out"
        raise DataError(f"{file}: {problem} of this name below {images}; {remedy}")
    return found[0]


def _points(file: Path, layout: KeypointLayout) -> NDArray[np.float64]:
    form = _FORM.fullmatch(read_text(file, _MOST_BYTES))
    if form is None:
        raise DataError(
            f"{file}: is not in the form of 300-W; it should be 'version: 1', 'n_points: {len(layout)}', and the "
            "points between braces, x and y in a line"
        )
    cells = form[2].split()
    if int(form[1]) != len(layout) or len(cells) != 2 * len(layout):
        raise DataError(
            f"{file}: says n_points: {form[1]} and has {len(cells)} coordinates, where layout {layout.name!r} has "
            f"{len(layout)} points, {2 * len(layout)} coordinates; correct the file or the card's layout"
        )
    try:
        return np.array([float(cell) for cell in cells]).reshape(-1, 2) - 1
    except ValueError:
        wrong = next(i for i, cell in enumerate(cells) if not _is_number(cell))
        problem = f"{'xy'[wrong % 2]} of point {wrong // 2 + 1} is {reprlib.repr(cells[wrong])}; write pixels"
        raise DataError(f"{file}: {problem}") from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
