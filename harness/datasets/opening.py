"""From a card's ``[data]`` table to a `Split`: prepared on first use, opened in milliseconds afterwards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark, KaggleData, RenderedData
from harness.datasets import kaggle, rendered
from harness.datasets.faces import FaceSet, Split
from harness.datasets.split import split_by_subject
from harness.datasets.store import stored
from harness.errors import DataError, UsageError
from harness.places import prepared

SEED_VARIABLE = "HARNESS_SECRET_SEED"
"""The environment variable with which a teacher draws held-out faces that nobody has seen."""

_SHORTEST_SECRET = 16


def open_split(
    benchmark: Benchmark, folder: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> Split:
    """The training and held-out faces of a benchmark.

    Args:
        benchmark: its ``data`` table says what to open.
        folder: where the data's files are, ``data/NAME`` if None; rendered faces need none.
        progress: called with (done, total) while faces are rendered.

    Raises:
        DataError: files are missing, damaged or not what the card says.
        UsageError: HARNESS_SECRET_SEED is too short to be a secret.
    """
    if isinstance(benchmark.data, RenderedData):
        return _rendered(benchmark, benchmark.data, progress)
    return _kaggle(benchmark, benchmark.data, folder or _default_folder(benchmark))


def open_test(benchmark: Benchmark, folder: Path | None = None) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The ids (N,) and images (N, H, W) of a Kaggle folder's unlabelled ``test.csv``.

    Raises:
        DataError: the benchmark has no test images, or they cannot be read.
    """
    folder = _test_folder(benchmark, folder)
    return kaggle.read_test(folder, benchmark.image_size)


def open_lookup(benchmark: Benchmark, folder: Path | None = None) -> kaggle.Lookup:
    """Which coordinates a Kaggle folder's ``IdLookupTable.csv`` asks of its test images."""
    return kaggle.read_lookup(_test_folder(benchmark, folder), benchmark.layout)


def _kaggle(benchmark: Benchmark, data: KaggleData, folder: Path) -> Split:
    def read() -> dict[str, NDArray[Any]]:
        faces = kaggle.read_training(folder, benchmark.layout, benchmark.image_size)
        return {"images": faces.images, "keypoints": faces.keypoints, "subjects": faces.subjects}

    sources = kaggle.training_sources(folder)
    kind = f"kaggle {kaggle.VERSION} {benchmark.image_size} {benchmark.layout.columns}"
    kept = stored(prepared(benchmark.name), sources, read, kind)
    faces = _face_set(benchmark, kept.arrays)
    return split_by_subject(faces, data.held_out, data.seed, kept.fingerprint)


def _rendered(benchmark: Benchmark, data: RenderedData, progress: Callable[[int, int], None] | None) -> Split:
    def faces(seed: int, count: int, fully_labelled: float) -> tuple[FaceSet, str]:
        def draw() -> dict[str, NDArray[Any]]:
            images, keypoints = rendered.render(seed, count, benchmark.image_size, progress=progress)
            labelled = rendered.kaggle_labels(seed, keypoints, fully_labelled) if fully_labelled < 1 else keypoints
            return {"images": images, "keypoints": labelled, "subjects": np.arange(count, dtype=np.int64)}

        kind = f"rendered {rendered.VERSION} {benchmark.image_size} {seed} {count} {fully_labelled}"
        kept = stored(prepared(benchmark.name), [], draw, kind)
        return _face_set(benchmark, kept.arrays), kept.fingerprint

    secret = os.environ.get(SEED_VARIABLE)
    training, drawn = faces(data.seed, data.training, data.fully_labelled)
    held_out, drawn_for_scoring = faces(
        data.held_out_seed if secret is None else _number(secret), data.held_out, fully_labelled=1
    )
    return Split(
        training=training,
        held_out=replace(held_out, subjects=held_out.subjects + data.training),
        strata={"full": held_out.complete},
        fingerprint=hashlib.sha256(f"{drawn} {drawn_for_scoring}".encode()).hexdigest(),
        origin="practice" if secret is None else "secret",
    )


def _number(secret: str) -> int:
    """A secret as a seed of 128 bits.

    Raises:
        UsageError: it could be found by trying.
    """
    if len(secret) < _SHORTEST_SECRET:
        raise UsageError(
            f"{SEED_VARIABLE} has {len(secret)} characters, so few that it could be found by trying, and with it the "
            f"held-out faces; use at least {_SHORTEST_SECRET}, such as the output of `openssl rand -hex 16`"
        )
    return int.from_bytes(hashlib.sha256(secret.encode()).digest()[:16], "big")


def _face_set(benchmark: Benchmark, arrays: Mapping[str, NDArray[Any]]) -> FaceSet:
    return FaceSet(arrays["images"], arrays["keypoints"], arrays["subjects"], benchmark.layout)


def _default_folder(benchmark: Benchmark) -> Path:
    return Path("data") / benchmark.name


def _test_folder(benchmark: Benchmark, folder: Path | None) -> Path:
    if isinstance(benchmark.data, RenderedData):
        raise DataError(f'benchmark {benchmark.name!r} has no test images; name one whose card says reader = "kaggle"')
    return folder or _default_folder(benchmark)
