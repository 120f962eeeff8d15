"""The values that a card's keys may have: checked, bounded, and in the form that the harness uses."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from harness.keypoints import LAYOUTS, KeypointLayout
from harness.metrics import METRICS
from harness.units import parse_bytes, parse_seconds

MOST_FACES = 10**6
MOST_SEEDS = 100
MOST_PIXELS = 2048
"""Of an image's height and width."""

Seed = Annotated[int, Field(ge=0, lt=2**64)]
Side = Annotated[int, Field(ge=1, le=MOST_PIXELS)]


class Table(BaseModel):
    """A table of a card: no key that is not known, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


class _LayoutTable(Table):
    name: str
    keypoints: Annotated[list[str], Field(max_length=500)]
    mirror_pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    groups: dict[str, list[str]]
    inter_ocular: Annotated[list[str], Field(min_length=2, max_length=2)]

    def build(self) -> KeypointLayout:
        return KeypointLayout(
            name=self.name,
            keypoints=tuple(self.keypoints),
            mirror_pairs=tuple((a, b) for a, b in self.mirror_pairs),
            groups={group: tuple(members) for group, members in self.groups.items()},
            inter_ocular=(self.inter_ocular[0], self.inter_ocular[1]),
        )


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text in quotes, with its unit")
    return value


def share_or_file(value: Any, info: ValidationInfo) -> float | Path:
    """A share of the faces, or the path of a file, relative to the card."""
    if isinstance(value, str) and value:
        return Path(info.context or "") / value
    if isinstance(value, float) and 0 < value < 1:
        return value
    raise ValueError("should be a share between 0 and 1, or a file of labelled faces in quotes")


def count(value: Any) -> Any:
    """A number of faces, and not a file's name."""
    if isinstance(value, str):
        raise ValueError('should be a number of faces to draw; a file of held-out faces needs reader = "kaggle"')
    return value


def pair(value: Any) -> Any:
    """TOML's list as a tuple."""
    return tuple(value) if isinstance(value, list) else value


def layout(value: Any) -> KeypointLayout:
    """A built-in layout by its name, or one that the card spells out."""
    if isinstance(value, KeypointLayout):
        return value
    if isinstance(value, str):
        if value not in LAYOUTS:
            raise ValueError(f"there is no built-in layout of this name; known: {', '.join(LAYOUTS)}")
        return LAYOUTS[value]
    return _LayoutTable.model_validate(value).build()


def metric(name: str) -> str:
    """The name of a metric."""
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=1)
        raise ValueError(
            "there is no such metric"
            + (f"; did you mean {near[0]!r}?" if near else ".")
            + f" Known: {', '.join(METRICS)}"
        )
    return name


Duration = Annotated[float, BeforeValidator(lambda value: parse_seconds(_string(value)))]
Size = Annotated[int, BeforeValidator(lambda value: parse_bytes(_string(value)))]
