"""What a card's ``[data]`` table says where the faces are in somebody's files: a class for each way of saying it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from harness.card_values import Seed, Table, share_or_file, share_or_path

PictureReader = Literal["csv", "coco", "pts", "wflw", "npz"]
FILE_READERS = ("kaggle", *get_args(PictureReader))
"""The names of the readers of files."""


def _path(value: Any) -> Any:
    return Path(value) if isinstance(value, str) and value else value


def _pattern(value: str) -> str:
    if "{subject}" in value and (value.count("{subject}") > 1 or value.count("*") > 4):
        raise ValueError('should have one {subject} and at most four *, as "{subject}_*.jpg"')
    return value


class KaggleData(Table):
    """Photographs in Kaggle's files.

    Attributes:
        held_out: share of the fully labelled rows that is held out, by whole subjects; or a file of faces that are held
            out, so that all of ``training.csv`` may be learnt from. On a card its path is relative to the card.
        seed: draws which subjects; a file of held-out faces has no use for it.
    """

    reader: Literal["kaggle"]
    held_out: Annotated[float | Path, BeforeValidator(share_or_file)]
    seed: Seed = 0


class PictureData(Table):
    """Pictures of any size and colour, from which faces are cut. All paths are relative to the folder of the data.

    Attributes:
        file: what lists the faces (of ``pts``, the folder of the files); None for the only one of its kind.
        images: folder of the pictures that are listed; None for the one that ``file`` is in.
        held_out: share of the fully labelled faces that is held out, by whole subjects; or a file like ``file``.
        held_out_images: folder of the pictures that it lists; None for ``images``.
        seed: draws which subjects; a file of held-out faces has no use for it.
        crop: what is cut from a picture: the face's box, the box around its labelled points, or the whole image.
        margin: what is added to the box on each side, as a share of its longer side.
        subjects: who is shown: a pattern of the pictures' paths such as ``{subject}_*.jpg``, or a column of a CSV; None
            where nobody knows, and near-duplicates count as one subject.
    """

    reader: PictureReader
    file: Annotated[Path | None, BeforeValidator(_path)] = None
    images: Annotated[Path | None, BeforeValidator(_path)] = None
    held_out: Annotated[float | Path, BeforeValidator(share_or_path)]
    held_out_images: Annotated[Path | None, BeforeValidator(_path)] = None
    seed: Seed = 0
    crop: Literal["box", "points", "image"]
    margin: Annotated[float, Field(ge=0, le=4)] = 0.0
    subjects: Annotated[str | None, AfterValidator(_pattern)] = None

    @model_validator(mode="after")
    def _fits_the_reader(self) -> PictureData:
        if self.crop == "points" and "margin" not in self.model_fields_set:
            raise ValueError('crop = "points" needs a margin, as margin = 0.25; the face goes on beyond its points')
        if self.crop == "image" and self.margin:
            raise ValueError('crop = "image" takes all of the image, so it has no margin; take it out')
        if self.crop == "box" and self.reader == "pts":
            raise ValueError('files of reader = "pts" have no box; say crop = "points" and a margin')
        if self.reader == "npz" and (self.images or self.held_out_images or self.subjects):
            raise ValueError("an .npz names no pictures; take out images, held_out_images and subjects")
        if self.subjects and "{subject}" not in self.subjects and self.reader != "csv":
            raise ValueError('subjects should be a pattern of the pictures\' paths, as "{subject}_*.jpg"')
        return self

    def subject_of(self, path: str) -> str | None:
        """Who is shown in the picture of this path, by the pattern; None if the path does not match it."""
        pieces = [{"{subject}": "([^/]+)", "*": "[^/]*"}.get(each, re.escape(each)) for each in self._pieces()]
        found = re.search(f"(?:^|/){''.join(pieces)}$", path)
        return found[1] if found else None

    def _pieces(self) -> list[str]:
        return re.split(r"(\{subject\}|\*)", self.subjects or "")
