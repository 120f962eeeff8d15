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

from harness.benchmark import Benchmark, RenderedData
from harness.data_tables import KaggleData, PictureData
from harness.datasets import rendered
from harness.datasets.faces import FaceSet, Split
from harness.datasets.packed import on_disk
from harness.datasets.readers import kaggle, reader_of
from harness.datasets.secret import SEED_VARIABLE, seed_of
from harness.datasets.split import split_as_given, split_by_subject
from harness.datasets.store import Stored, fingerprint, stored
from harness.errors import DataError, UsageError
from harness.keypoints import FACE15
from harness.places import prepared


def open_split(
    benchmark: Benchmark,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    held_out: Path | None = None,
) -> Split:
    """The training and held-out faces of a benchmark.

    Args:
        benchmark: its ``data`` table says what to open.
        folder: where the data's files are, or an archive of them, ``data/NAME`` if None; rendered faces need none.
        progress: called with (done, total) while faces are rendered, or cut out of pictures.
        held_out: a file of labelled faces to hold out in place of what the card says, in the form of the others, so
            that all of those may be learnt from.

    Raises:
        DataError: files are missing, damaged or not what the card says, or a held-out image is also a training image.
        UsageError: the harness did not make the secret in HARNESS_SECRET_SEED, or rendered faces got a file of held-out
            ones.
    """
    if isinstance(benchmark.data, RenderedData):
        if held_out is not None:
            raise UsageError(
                f"benchmark {benchmark.name!r} draws its held-out faces, so --held-out {held_out} does not fit; set "
                f"{SEED_VARIABLE} for faces that nobody has seen, or name a benchmark that reads Kaggle's files"
            )
        return _rendered(benchmark, benchmark.data, progress)
    return _from_files(benchmark, benchmark.data, folder or _default_folder(benchmark), held_out, progress)


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


def _from_files(
    benchmark: Benchmark,
    data: KaggleData | PictureData,
    folder: Path,
    named: Path | None,
    progress: Callable[[int, int], None] | None,
) -> Split:
    reader = reader_of(data, benchmark.layout, benchmark.image_size)

    def faces(files: list[Path], read: Callable[[], FaceSet], kind: str) -> tuple[FaceSet, str]:
        kind = f"{kind} {benchmark.image_size} {benchmark.layout.columns}"
        kept = stored(prepared(benchmark.name), [on_disk(each) for each in files], lambda: _arrays(read()), kind)
        return _face_set(benchmark, kept.arrays), kept.fingerprint

    held_out = data.held_out if named is None else named.absolute()
    if isinstance(held_out, Path):
        held_out = folder / held_out
    file = held_out if isinstance(held_out, Path) else None
    files = reader.sources(folder, file)
    training, read = faces(files, lambda: reader.training(folder, file, progress), reader.kind)
    if isinstance(held_out, float):
        return split_by_subject(training, held_out, data.seed, read)
    others, read_for_scoring = faces(
        # With the training files, so that their images are compared again whenever one of the files changes.
        [*reader.held_out_sources(folder, held_out), *files],
        lambda: reader.held_out(folder, held_out, training, progress),
        f"{reader.kind} held out",
    )
    return split_as_given(training, others, read, read_for_scoring)


def _rendered(benchmark: Benchmark, data: RenderedData, progress: Callable[[int, int], None] | None) -> Split:
    layout = benchmark.layout

    def faces(seed: int, count: int, fully_labelled: float, *, keep: bool = True) -> tuple[FaceSet, str]:
        def draw() -> dict[str, NDArray[Any]]:
            images, keypoints = rendered.render(seed, count, benchmark.image_size, layout, progress=progress)
            if fully_labelled < 1:
                keypoints = rendered.kaggle_labels(seed, keypoints, fully_labelled, layout=layout)
            return {"images": images, "keypoints": keypoints, "subjects": np.arange(count, dtype=np.int64)}

        kind = f"rendered {rendered.VERSION} {benchmark.image_size} {seed} {count} {fully_labelled}"
        if layout.keypoints != FACE15.keypoints:  # which the faces stored by earlier versions have
            kind += f" {layout.columns}"
        if keep:
            kept = stored(prepared(benchmark.name), [], draw, kind)
        else:
            drawn = draw()
            kept = Stored(drawn, fingerprint(drawn))
        return _face_set(benchmark, kept.arrays), kept.fingerprint

    secret = os.environ.get(SEED_VARIABLE)
    training, drawn = faces(data.seed, data.training, data.fully_labelled)
    held_out, drawn_for_scoring = faces(
        data.held_out_seed if secret is None else seed_of(secret),
        data.held_out,
        fully_labelled=1,
        keep=secret is None,  # secret faces stay in memory, since a file could be read
    )
    return Split(
        training=training,
        held_out=replace(held_out, subjects=held_out.subjects + data.training),
        strata={"full": held_out.complete},
        fingerprint=hashlib.sha256(f"{drawn} {drawn_for_scoring}".encode()).hexdigest(),
        origin="practice" if secret is None else "secret",
    )


def _arrays(faces: FaceSet) -> dict[str, NDArray[Any]]:
    return {"images": faces.images, "keypoints": faces.keypoints, "subjects": faces.subjects}


def _face_set(benchmark: Benchmark, arrays: Mapping[str, NDArray[Any]]) -> FaceSet:
    return FaceSet(arrays["images"], arrays["keypoints"], arrays["subjects"], benchmark.layout)


def _default_folder(benchmark: Benchmark) -> Path:
    return Path("data") / benchmark.name


def _test_folder(benchmark: Benchmark, folder: Path | None) -> Path:
    if not isinstance(benchmark.data, KaggleData):
        raise DataError(f'benchmark {benchmark.name!r} has no test images; name one whose card says reader = "kaggle"')
    return folder or _default_folder(benchmark)
