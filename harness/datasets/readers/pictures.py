"""Faces cut out of the pictures that a file lists, whatever the file's form."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from harness.data_tables import PictureData
from harness.datasets.faces import FaceSet
from harness.datasets.readers import coco, image_csv, npz, pts, wflw
from harness.datasets.readers.cropping import Box, Crop
from harness.datasets.readers.listed import LEAST_SIDE, PICTURES, Listed, check_count, find_file
from harness.datasets.readers.picture import read_grey
from harness.datasets.split import near_duplicate_groups
from harness.errors import DataError
from harness.keypoints import KeypointLayout
from harness.subjects import number_of
from harness.units import format_bytes

FORMS: dict[str, ModuleType] = {"csv": image_csv, "coco": coco, "pts": pts, "wflw": wflw, "npz": npz}
"""The name of each reader -> its module, with ``list_faces``, ``VERSION`` and ``SUFFIX``."""

Progress = Callable[[int, int], None]

_MOST_BYTES = 2**32  # of all images together
_MOST_TIMES = 8
_VERSION = 1


class Pictures:
    """The faces of a benchmark whose card names pictures."""

    def __init__(self, data: PictureData, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        self._data, self._layout, self._size = data, layout, image_size
        self._form = FORMS[data.reader]

    @property
    def kind(self) -> str:
        """What decides, besides the files, how the faces look."""
        data = self._data
        settings = [data.crop, data.margin, data.subjects, str(data.images), str(data.held_out_images)]
        return f"{data.reader} {_VERSION} {self._form.VERSION} {settings}"

    def sources(self, folder: Path, held_out: Path | None) -> list[Path]:
        """The files that the training faces come from.

        Raises:
            DataError: the folder or the file is missing.
        """
        file = self._file(folder, held_out)
        return _files(file, self._pictures(folder, file, self._data.images))

    def held_out_sources(self, folder: Path, held_out: Path) -> list[Path]:
        """The files that the held-out faces come from."""
        return _files(held_out, self._pictures(folder, held_out, self._data.held_out_images or self._data.images))

    def training(self, folder: Path, held_out: Path | None, progress: Progress | None = None) -> FaceSet:
        """Every face that the file lists, except those of ``held_out``.

        Raises:
            DataError: a file is missing, damaged or not in its form; the message names it, the row and the remedy.
        """
        file = self._file(folder, held_out)
        listed = self._listed(file, self._pictures(folder, file, self._data.images), apart=held_out)
        images, points = self._cut(listed, progress)
        return FaceSet(images, points, _subjects(listed, images), self._layout)

    def held_out(self, folder: Path, file: Path, training: FaceSet, progress: Progress | None = None) -> FaceSet:
        """Every face of a file (of ``pts``, a folder) that is held out; its subjects are numbered from -1 down.

        Raises:
            DataError: as for ``training``; or no face has all its keypoints, or one is also a training face.
        """
        if not file.exists():
            raise DataError(f"{file} is not there; put the held-out faces there, or correct 'held_out' on the card")
        listed = self._listed(file, self._pictures(folder, file, self._data.held_out_images or self._data.images))
        images, points = self._cut(listed, progress)
        subjects = _subjects(listed, images)
        faces = FaceSet(images, points, -1 - subjects, self._layout)
        if not faces.complete.any():
            raise DataError(f"{file}: no face has all its keypoints, so there is nothing to score on; add some")
        known, people = {image.tobytes() for image in training.images}, set(training.subjects.tolist())
        for each, image, subject in zip(listed, images, subjects.tolist(), strict=True):
            if image.tobytes() in known:
                raise DataError(f"{each.place}: is a training face, too; take it out of one of the two files")
            if each.subject is not None and subject in people:
                raise DataError(
                    f"{each.place}: its subject {each.subject!r} is among the training faces, too; take the subject "
                    "out of one of the two files"
                )
        return faces

    def _file(self, folder: Path, held_out: Path | None) -> Path:
        if self._form is not pts:
            return find_file(folder, self._data.file, self._form.SUFFIX, held_out)
        root = folder / (self._data.file or "")
        if not root.is_dir():
            raise DataError(f"there is no folder {root}; name the folder of the .pts files, unpacked, with --data")
        return root

    def _pictures(self, folder: Path, file: Path, images: Path | None) -> Path:
        """The folder of the pictures that a file lists."""
        if images is not None:
            return (folder.parent if folder.is_file() else folder) / images
        return file.parent if self._form is not pts else file

    def _listed(self, file: Path, pictures: Path, apart: Path | None = None) -> list[Listed]:
        """What the file lists, with the subjects that the card's pattern finds."""
        listed: list[Listed] = self._form.list_faces(file, pictures, self._data, self._layout)
        if apart is not None and self._form is pts:
            others = set(pts.points_files(apart))
            listed = [each for each in listed if Path(each.place) not in others]
        check_count(listed, file)
        if math.prod(self._size) * len(listed) > _MOST_BYTES:
            raise DataError(
                f"{file}: {len(listed):,} faces take more than {format_bytes(_MOST_BYTES)} at the card's image_size; "
                "make that smaller, or list fewer"
            )
        if "{subject}" not in (self._data.subjects or ""):
            return listed
        return [replace(each, subject=self._subject(each, pictures)) for each in listed]

    def _subject(self, each: Listed, pictures: Path) -> str:
        assert isinstance(each.picture, Path)
        path = each.picture.relative_to(pictures).as_posix()
        subject = self._data.subject_of(path)
        if subject is None:
            raise DataError(
                f"{each.place}: the path {path!r} does not match subjects = {self._data.subjects!r} of the card; "
                "correct one of them"
            )
        return subject

    def _cut(
        self, listed: Sequence[Listed], progress: Progress | None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """The images (N, H, W) and points (N, K, 2)."""
        images = np.empty((len(listed), *self._size), np.uint8)
        points = np.empty((len(listed), len(self._layout), 2), np.float32)
        last: tuple[Path, NDArray[np.uint8]] | None = None  # a picture may show several faces, one listed after another
        for i, each in enumerate(listed):
            if isinstance(each.picture, Path):
                if last is None or last[0] != each.picture:
                    last = each.picture, _read(each, each.picture)
                picture = last[1]
            else:
                picture = each.picture
            crop = Crop.around(self._box(each, picture), self._data.margin, self._size)
            images[i] = crop.image(picture)
            points[i] = crop.points(each.points)
            if progress is not None:
                progress(i + 1, len(listed))
        return images, points

    def _box(self, each: Listed, picture: NDArray[np.uint8]) -> Box:
        height, width = picture.shape
        self._check_points(each, width, height)
        if self._data.crop == "image":
            return -0.5, -0.5, width - 0.5, height - 0.5
        if self._data.crop == "box":
            if each.box is None:
                raise DataError(
                    f'{each.place}: has no box; say crop = "points" and a margin on the card, or add the box'
                )
            left, top, right, bottom = each.box
        else:
            if np.isnan(each.points).all():
                raise DataError(f"{each.place}: has no labelled keypoint to crop by; take it out")
            (left, top), (right, bottom) = np.nanmin(each.points, axis=0), np.nanmax(each.points, axis=0)
        inside = right > 0 and bottom > 0 and left < width and top < height
        if not inside or max(right - left, bottom - top) < LEAST_SIDE or not right >= left or not bottom >= top:
            raise DataError(
                f"{each.place}: the box from ({left:.1f}, {top:.1f}) to ({right:.1f}, {bottom:.1f}) is not one of a "
                f"face in a picture of {width}x{height}; write pixels of the picture"
            )
        if max(right - left, bottom - top) > _MOST_TIMES * max(width, height):
            raise DataError(f"{each.place}: its box is {_MOST_TIMES} times as large as its picture; write pixels of it")
        return left, top, right, bottom

    def _check_points(self, each: Listed, width: int, height: int) -> None:
        if each.size not in (None, (width, height)):
            raise DataError(
                f"{each.place}: says that its picture has {each.size} pixels, and {each.picture} has "
                f"{(width, height)}; keypoints count in the pixels as they are stored"
            )
        missing = np.isnan(each.points)
        half = np.flatnonzero(missing[:, 0] != missing[:, 1])
        if len(half):
            name = self._layout.keypoints[half[0]]
            raise DataError(f"{each.place}: keypoint {name!r} has one coordinate of two; write both or neither")
        far = np.flatnonzero((np.abs(each.points - (width / 2, height / 2)) > 1.5 * max(width, height)).any(axis=1))
        if len(far):
            name, (x, y) = self._layout.keypoints[far[0]], each.points[far[0]]
            raise DataError(
                f"{each.place}: keypoint {name!r} is at ({x:.1f}, {y:.1f}), far from its picture of {width}x{height}; "
                "write pixels of the picture"
            )


def _read(each: Listed, picture: Path) -> NDArray[np.uint8]:
    try:
        return read_grey(picture)
    except DataError as error:
        raise DataError(f"{each.place}: {error}") from error


def _subjects(listed: Sequence[Listed], images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """A number from 0 up for each: of the name, or of a group of near-duplicates where there are no names."""
    if any(each.subject is None for each in listed):
        return near_duplicate_groups(images)
    return np.array([number_of(str(each.subject)) for each in listed], dtype=np.int64)


def _files(file: Path, pictures: Path) -> list[Path]:
    """The file (or the folder) and every picture that it may list."""
    if file.suffix.lower() == npz.SUFFIX:
        return [file]
    walk = os.walk(pictures)
    found = [Path(here) / name for here, _, names in walk for name in names if name.lower().endswith(PICTURES)]
    return sorted(found) + (pts.points_files(file) if file.is_dir() else [file])
