"""Reader for an ``.npz`` of arrays: ``images``, ``keypoints`` and, if they are known, ``boxes`` and ``subjects``.

images     (N, H, W), or (N, H, W, 3) in colour; uint8, or floats from 0 to 1
keypoints  (N, K, 2) or (N, 2K), x then y in pixels, NaN where not labelled
boxes      (N, 4), left, top, right, bottom
subjects   (N,), numbers or text
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data_tables import PictureData
from harness.datasets.readers.listed import Listed
from harness.errors import DataError
from harness.files import read_regular
from harness.keypoints import KeypointLayout
from harness.units import format_bytes

VERSION = 1
SUFFIX = ".npz"
_MOST_BYTES = 2**32
_HOW = "write np.savez(file, images=..., keypoints=...)"
_COLOURS = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def list_faces(file: Path, images: Path, data: PictureData, layout: KeypointLayout) -> list[Listed]:
    """Every image of the file.

    Raises:
        DataError: an array is missing, or of another shape or kind than it should be; the message names it.
    """
    arrays = _load(file)
    for name in ("images", "keypoints"):
        if name not in arrays:
            raise DataError(f"{file}: has no array {name!r}, only {', '.join(map(repr, arrays)) or 'none'}; {_HOW}")
    pixels = arrays["images"]
    count, points = len(pixels), _points(file, arrays["keypoints"], len(pixels), layout)
    boxes = _boxes(file, arrays.get("boxes"), count)
    subjects = arrays.get("subjects")
    if subjects is not None and (subjects.shape != (count,) or subjects.dtype.kind not in "iuUS"):
        raise DataError(
            f"{file}: subjects is {_about(subjects)}; it should be a number or a text for each of {count} images"
        )
    return [
        Listed(
            f"{file}, image {i}",
            _grey(file, pixels, i),
            points[i],
            tuple(boxes[i].tolist()) if boxes is not None else None,
            str(subjects[i]) if subjects is not None else None,
        )
        for i in range(count)
    ]


def _load(file: Path) -> dict[str, NDArray[Any]]:
    try:
        content = read_regular(file, _MOST_BYTES)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}; check that it is the right file") from error
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > _MOST_BYTES:
            raise DataError(f"{file}: unpacks to {format_bytes(size)}, more than {format_bytes(_MOST_BYTES)}; split it")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except DataError:
        raise
    except Exception as error:  # numpy and zipfile raise errors of a dozen kinds at a file that is damaged
        raise DataError(f"{file}: cannot be read as arrays ({str(error)[:100]}); {_HOW}") from error


def _points(file: Path, points: NDArray[Any], count: int, layout: KeypointLayout) -> NDArray[np.float64]:
    k = len(layout)
    if points.shape not in ((count, k, 2), (count, 2 * k)) or points.dtype.kind not in "iuf":
        raise DataError(
            f"{file}: keypoints is {_about(points)}; for {count} images and layout {layout.name!r} it should be "
            f"numbers of shape ({count}, {k}, 2) or ({count}, {2 * k})"
        )
    return points.reshape(count, k, 2).astype(np.float64)


def _boxes(file: Path, boxes: NDArray[Any] | None, count: int) -> NDArray[np.float64] | None:
    if boxes is None:
        return None
    if boxes.shape != (count, 4) or boxes.dtype.kind not in "iuf":
        raise DataError(f"{file}: boxes is {_about(boxes)}; it should be numbers of shape ({count}, 4)")
    return boxes.astype(np.float64)


def _grey(file: Path, pixels: NDArray[Any], i: int) -> NDArray[np.uint8]:
    """One image as uint8 (H, W)."""
    grey = pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] == 1)
    colour = pixels.ndim == 4 and pixels.shape[3] in (3, 4)
    if not (grey or colour) or pixels.dtype.kind not in "iuf" or 0 in pixels.shape:
        raise DataError(
            f"{file}: images is {_about(pixels)}; it should be uint8, or floats from 0 to 1, of shape (N, H, W) or "
            "(N, H, W, 3)"
        )
    image = pixels[i].astype(np.float32)
    if pixels.dtype.kind == "f":
        image *= 255
    if not (np.isfinite(image).all() and image.min() > -1 and image.max() < 256):
        raise DataError(
            f"{file}, image {i}: has values from {pixels[i].min()} to {pixels[i].max()}; write whole numbers from 0 "
            "to 255, or floats from 0 to 1"
        )
    flat = image[..., :3] @ _COLOURS if colour else image.reshape(image.shape[:2])
    return np.asarray(np.clip(np.rint(flat), 0, 255).astype(np.uint8))


def _about(array: NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"
