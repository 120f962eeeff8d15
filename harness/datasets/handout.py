"""Handout: what competitors may have of a split, in Kaggle's files, for those who train on their own machines."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from harness.datasets.faces import FaceSet, Split
from harness.errors import MachineError


def write_handout(folder: Path, split: Split) -> None:
    """Write ``training.csv``, ``test.csv`` (the held-out images, without keypoints) and ``IdLookupTable.csv``.

    Image ids and row ids count from 1 in the order in which a CSV of predictions is read back.

    Raises:
        MachineError: the folder cannot be written.
    """
    layout = split.training.layout
    tables: dict[str, tuple[list[str], Iterable[Iterable[object]]]] = {
        "training.csv": ([*layout.columns, "Image"], _labelled_rows(split.training)),
        "test.csv": (["ImageId", "Image"], ([i, pixels] for i, pixels in enumerate(_pixels(split.held_out), start=1))),
        "IdLookupTable.csv": (["RowId", "ImageId", "FeatureName", "Location"], _lookup_rows(split.held_out)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (header, rows) in tables.items():
            with (folder / name).open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(header)
                writer.writerows(rows)
    except OSError as error:
        raise MachineError(f"{error.filename or folder}: could not be written: {error.strerror}") from error


def _pixels(faces: FaceSet) -> Iterator[str]:
    for image in faces.images:
        yield " ".join(map(str, image.ravel().tolist()))


def _labelled_rows(faces: FaceSet) -> Iterator[list[str]]:
    for keypoints, pixels in zip(faces.keypoints.reshape(len(faces), -1), _pixels(faces), strict=True):
        yield [*("" if np.isnan(value) else f"{value:.4f}" for value in keypoints), pixels]


def _lookup_rows(faces: FaceSet) -> Iterator[list[object]]:
    columns = faces.layout.columns
    for image in range(len(faces)):
        for i, column in enumerate(columns):
            yield [image * len(columns) + i + 1, image + 1, column, ""]
