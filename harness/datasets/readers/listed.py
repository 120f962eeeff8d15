"""What a reader of pictures lists: where each face is, not yet what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from harness.card_values import MOST_FACES
from harness.errors import DataError

LEAST_SIDE = 2
"""Pixels of a face's box on its longer side; shares of the picture's size, from 0 to 1, make it smaller."""

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
"""What the names of pictures end in, whatever the case."""


@dataclass(frozen=True)
class Listed:
    """One face, in pixels of its own picture, whose pixels have their centres at whole numbers.

    Attributes:
        place: the file and the row that list it, as messages name them.
        picture: the file of the picture, or its grey pixels, uint8 (H, W).
        points: float64 (K, 2), NaN where not labelled.
        box: left, top, right, bottom; None where the file has none.
        subject: who is shown, None where the file does not say.
        size: (width, height) that the file claims for the picture.
    """

    place: str
    picture: Path | NDArray[np.uint8]
    points: NDArray[np.float64]
    box: tuple[float, float, float, float] | None = None
    subject: str | None = None
    size: tuple[int, int] | None = None


def find_file(folder: Path, name: Path | None, suffix: str, apart: Path | None = None) -> Path:
    """The file of this name in the folder or, where none is given, the only one of a suffix.

    ``folder`` may be such a file itself. ``apart`` is a file that is meant for something else.

    Raises:
        DataError: there is none, or more than one.
    """
    if folder.is_file():
        if folder.suffix.lower() != suffix:
            raise DataError(f"{folder} is not a {suffix} file; unpack it, and name the folder of the files with --data")
        return folder
    if not folder.is_dir():
        raise DataError(f"the data folder {folder} does not exist; name the folder that holds the faces with --data")
    if name is not None:
        if not (folder / name).is_file():
            raise DataError(
                f"{folder / name} is not there; put the file there, or correct 'file' in [data] of the card"
            )
        return folder / name
    found = sorted(each for each in folder.iterdir() if each.suffix.lower() == suffix and each.is_file())
    found = [each for each in found if apart is None or each.resolve() != apart.resolve()]
    if not found:
        raise DataError(f'{folder} holds no {suffix} file; put it there, or say in [data] of the card: file = "NAME"')
    if len(found) > 1:
        names = ", ".join(each.name for each in found[:4])
        raise DataError(
            f"{folder} holds {len(found)} {suffix} files ({names}); say which in [data] of the card: file = …"
        )
    return found[0]


def find_picture(images: Path, name: str, place: str) -> Path:
    """The picture of this name below the folder of pictures.

    Raises:
        DataError: it is not there, or the name leads out of the folder.
    """
    relative = PurePosixPath(name.strip().replace("\\", "/"))
    if relative.is_absolute() or ".." in relative.parts or not relative.parts or "\0" in name or len(name) > 1000:
        raise DataError(
            f"{place}: {name[:100]!r} is not the path of a picture below {images}; write a path relative to it"
        )
    found = images / relative
    try:
        if found.is_file():
            return found
        beside = [each.name for each in sorted(images.iterdir()) if each.is_dir() and (each / relative).is_file()]
    except OSError:  # a name that is too long, a folder that cannot be read
        beside = []
    remedy = f'say images = "{beside[0]}" in [data] of the card' if beside else "put it there, or correct the name"
    raise DataError(f"{place}: there is no picture {str(relative)[:200]!r} below {images}; {remedy}")


def check_count(faces: Sequence[Listed], source: Path) -> None:
    """Refuse a file that lists no face, or more than there can be.

    Raises:
        DataError: it does.
    """
    if not faces:
        raise DataError(f"{source} lists no face with a keypoint; check that it is the right file")
    if len(faces) > MOST_FACES:
        raise DataError(f"{source} lists {len(faces):,} faces, more than {MOST_FACES:,}; name a smaller file")
