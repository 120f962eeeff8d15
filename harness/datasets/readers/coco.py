"""Reader for COCO's keypoints: a JSON file with ``images``, ``annotations`` and ``categories``.

An annotation's ``keypoints`` are x, y and v of each; v = 0 is not labelled. If all the names of the layout are among
those of its category, they are found by name, so that a card may take the five points of the face from a person's
seventeen. Otherwise they stand in the order of the layout. People who are too small to be cropped, or have no labelled
keypoint, are left out: photographs of crowds are full of them.
"""

from __future__ import annotations

import json
import math
import reprlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data_tables import PictureData
from harness.datasets.readers.listed import LEAST_SIDE, Listed, find_picture
from harness.datasets.readers.text_file import read_text
from harness.errors import DataError
from harness.keypoints import KeypointLayout

VERSION = 1
SUFFIX = ".json"
_MOST_BYTES = 2**29


def list_faces(file: Path, images: Path, data: PictureData, layout: KeypointLayout) -> list[Listed]:
    """Every annotation that has a labelled keypoint and is large enough to be cropped.

    Raises:
        DataError: it is not such a file; the message names the annotation and the remedy.
    """
    whole = _load(file)
    pictures = {_hashable(each.get("id")): each for each in _objects(file, whole, "images")}
    categories = {
        _hashable(each.get("id")): each.get("keypoints")
        for each in (_objects(file, whole, "categories") if "categories" in whole else [])
    }
    faces = []
    for number, annotation in enumerate(_objects(file, whole, "annotations")):
        place = f"{file}, annotation {number} (id {reprlib.repr(annotation.get('id'))})"
        if "keypoints" not in annotation:
            raise DataError(f"{place}: key 'keypoints' is missing; name a file of keypoints, such as person_keypoints")
        names = categories.get(_hashable(annotation.get("category_id")))
        points = _points(place, annotation["keypoints"], names, layout)
        box = _box(place, annotation.get("bbox"))
        if np.isnan(points).all() or _is_too_small(points, box, data):
            continue
        picture = pictures.get(_hashable(annotation.get("image_id")))
        if picture is None or not isinstance(picture.get("file_name"), str):
            raise DataError(
                f"{place}: its image_id is {reprlib.repr(annotation.get('image_id'))}, of which 'images' has no "
                "file_name; correct one of the two"
            )
        faces.append(
            Listed(
                place,
                find_picture(images, picture["file_name"], place),
                points,
                box,
                size=_size(picture),
            )
        )
    return faces


def _load(file: Path) -> dict[str, Any]:
    try:
        whole = json.loads(read_text(file, _MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file}: is not JSON ({str(error)[:100]}); download or write it again") from None
    if not isinstance(whole, dict):
        raise DataError(
            f"{file}: is not a JSON object with 'images' and 'annotations'; check that it is the right file"
        )
    return whole


def _objects(file: Path, whole: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = whole.get(key)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise DataError(f"{file}: key {key!r} is not a list of objects; check that it is a file of COCO's form")
    return found


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None


def _points(place: str, cells: Any, names: Any, layout: KeypointLayout) -> NDArray[np.float64]:
    """float64 (K, 2), NaN where v is 0."""
    if not isinstance(cells, list) or len(cells) % 3 or not all(map(_is_number, cells)):
        raise DataError(f"{place}: 'keypoints' is not a list of numbers, x, y and v of each; correct it")
    values = np.array(cells, dtype=np.float64).reshape(-1, 3)
    if not isinstance(names, list) or len(names) != len(values) or not set(layout.keypoints) <= set(map(str, names)):
        if len(values) != len(layout):
            raise DataError(
                f"{place}: has {len(values)} keypoints, and layout {layout.name!r} has {len(layout)}, not all of "
                "which its category names; correct the card's layout"
            )
    else:
        values = values[[names.index(name) for name in layout.keypoints]]
    points, seen = values[:, :2], values[:, 2]
    if not np.isin(seen, (0, 1, 2)).all():
        wrong = float(seen[~np.isin(seen, (0, 1, 2))][0])
        raise DataError(f"{place}: a keypoint's v is {wrong:g}; it should be 0 (not labelled), 1 or 2")
    return np.where(seen[:, None] > 0, points, math.nan)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _box(place: str, box: Any) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise DataError(f"{place}: 'bbox' is not left, top, width and height; correct it")
    left, top, width, height = map(float, box)
    return left - 0.5, top - 0.5, left + width - 0.5, top + height - 0.5  # a box counts from the edge of a pixel


def _is_too_small(points: NDArray[np.float64], box: tuple[float, ...] | None, data: PictureData) -> bool:
    if data.crop == "points":
        return bool((np.nanmax(points, axis=0) - np.nanmin(points, axis=0)).max() < LEAST_SIDE)
    return data.crop == "box" and box is not None and max(box[2] - box[0], box[3] - box[1]) < LEAST_SIDE


def _size(picture: dict[str, Any]) -> tuple[int, int] | None:
    width, height = picture.get("width"), picture.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
