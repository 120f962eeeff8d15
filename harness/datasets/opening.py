"""From a card's ``[data]`` table to a `Split`: prepared on first use, opened in milliseconds afterwards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
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
from harness.datasets.split import held_out_rows, split_as_given, split_by_subject
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


@dataclass(frozen=True)
class Rows:
    """Every row of a benchmark's files.

    Attributes:
        faces: all rows, in the order of the files.
        places: where each of them stands, as messages name it.
        held_out: bool (N,), which of them are held out.
    """

    faces: FaceSet
    places: Sequence[str]
    held_out: NDArray[np.bool_]


def open_rows(
    benchmark: Benchmark,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    held_out: Path | None = None,
) -> Rows:
    """The rows of a benchmark's files, the held-out ones too; arguments as `open_split` takes them.

    Raises:
        DataError: as of `open_split`.
        UsageError: the benchmark draws its faces.
    """
    data = benchmark.data
    if isinstance(data, RenderedData):
        raise UsageError(
            f"benchmark {benchmark.name!r} draws its faces, so nobody labelled them; name one that reads files, with "
            "--benchmark and --data"
        )
    given, parts = _parts(benchmark, data, folder or _default_folder(benchmark), held_out, progress)
    training, *others = parts
    faces, places = training.faces, training.places()
    leaves = held_out_rows(faces, given, data.seed) if isinstance(given, float) else np.zeros(len(faces), np.bool_)
    for part in others:
        faces, places = faces.followed_by(part.faces), places + part.places()
        leaves = np.concatenate([leaves, np.ones(len(part.faces), np.bool_)])
    return Rows(faces, places, leaves)


def held_out_causes(benchmark: Benchmark) -> tuple[rendered.Causes, ...]:
    """What makes each held-out face of a benchmark hard, in their order; empty where they are not rendered."""
    if not isinstance(benchmark.data, RenderedData):
        return ()
    return _causes(_held_out_seed(benchmark.data), benchmark.data.held_out)


@cache
def _causes(seed: int, count: int) -> tuple[rendered.Causes, ...]:
    return tuple(rendered.causes_of(seed, index) for index in range(count))


def _held_out_seed(data: RenderedData) -> int:
    secret = os.environ.get(SEED_VARIABLE)
    return data.held_out_seed if secret is None else seed_of(secret)


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


@dataclass(frozen=True)
class _Part:
    """Faces that belong together, their fingerprint, and what messages call each of them."""

    faces: FaceSet
    fingerprint: str
    places: Callable[[], list[str]]


def _from_files(
    benchmark: Benchmark,
    data: KaggleData | PictureData,
    folder: Path,
    named: Path | None,
    progress: Callable[[int, int], None] | None,
) -> Split:
    held_out, (training, *others) = _parts(benchmark, data, folder, named, progress)
    if isinstance(held_out, float):
        return split_by_subject(training.faces, held_out, data.seed, training.fingerprint)
    (scored,) = others
    return split_as_given(training.faces, scored.faces, training.fingerprint, scored.fingerprint)


def _parts(
    benchmark: Benchmark,
    data: KaggleData | PictureData,
    folder: Path,
    named: Path | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[float | Path, list[_Part]]:
    """What is held out, a share or a file; the training faces and, where it is a file, those in it."""
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
    parts = [_Part(training, read, lambda: reader.places(folder, file, len(training)))]
    if file is not None:
        others, read_for_scoring = faces(
            # With the training files, so that their images are compared again whenever one of the files changes.
            [*reader.held_out_sources(folder, file), *files],
            lambda: reader.held_out(folder, file, training, progress),
            f"{reader.kind} held out",
        )
        parts.append(_Part(others, read_for_scoring, lambda: reader.held_out_places(folder, file, len(others))))
    return held_out, parts


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
        _held_out_seed(data),
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
    if isinstance(benchmark.data, KaggleData):
        return folder or _default_folder(benchmark)
    if isinstance(benchmark.data, RenderedData) and folder is not None:
        return folder  # what `harness data prepare --export` wrote elsewhere, where the secret is
    raise DataError(
        f'benchmark {benchmark.name!r} has no test images; name one whose card says reader = "kaggle" or, with --data, '
        "the folder of an export of rendered faces"
    )
