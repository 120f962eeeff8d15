"""Readers: how each kind of file becomes faces. The registry is `reader_of`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from harness.data_tables import KaggleData, PictureData
from harness.datasets.faces import FaceSet
from harness.datasets.readers import kaggle
from harness.datasets.readers.pictures import Pictures
from harness.keypoints import KeypointLayout

Progress = Callable[[int, int], None]


class Reader(Protocol):
    """Reads the files of one benchmark. ``held_out`` is the file of held-out faces, if there is one."""

    @property
    def kind(self) -> str:
        """What decides, besides the files, what is read; it changes whenever the same files would read differently."""
        ...

    def sources(self, folder: Path, held_out: Path | None) -> list[Path]:
        """The files that the training faces come from."""
        ...

    def held_out_sources(self, folder: Path, held_out: Path) -> list[Path]:
        """The files that the held-out faces come from."""
        ...

    def training(self, folder: Path, held_out: Path | None, progress: Progress | None) -> FaceSet:
        """The training faces; their subjects are numbered from 0 up."""
        ...

    def held_out(self, folder: Path, file: Path, training: FaceSet, progress: Progress | None) -> FaceSet:
        """The faces of a file that is held out, none of them a training face; subjects are numbered from -1 down."""
        ...


class KaggleFiles:
    """The faces of a benchmark in Kaggle's files."""

    def __init__(self, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        self._form = layout, image_size

    @property
    def kind(self) -> str:
        """The version; see `Reader`."""
        return f"kaggle {kaggle.VERSION}"

    def sources(self, folder: Path, held_out: Path | None) -> list[Path]:
        """See `Reader`."""
        return kaggle.training_sources(folder)

    def held_out_sources(self, folder: Path, held_out: Path) -> list[Path]:
        """See `Reader`."""
        return [held_out]

    def training(self, folder: Path, held_out: Path | None, progress: Progress | None) -> FaceSet:
        """See `Reader`."""
        return kaggle.read_training(folder, *self._form)

    def held_out(self, folder: Path, file: Path, training: FaceSet, progress: Progress | None) -> FaceSet:
        """See `Reader`."""
        return kaggle.read_held_out(file, training.images, kaggle.training_sources(folder)[0], *self._form)


def reader_of(data: KaggleData | PictureData, layout: KeypointLayout, image_size: tuple[int, int]) -> Reader:
    """The reader that a card's ``[data]`` names; ``image_size`` is (H, W)."""
    if isinstance(data, KaggleData):
        return KaggleFiles(layout, image_size)
    return Pictures(data, layout, image_size)
