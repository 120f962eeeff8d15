"""The values that a card's keys may have: checked, bounded, and in the form that the harness uses."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

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


def _name(text: str) -> str:
    if not re.fullmatch(r"\w[\w .+-]*", text):
        raise ValueError("should be letters, digits and any of _ . + -, since columns and files are called by it")
    return text


def _divisor(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and all(isinstance(name, str) for name in value):
        return (value[0], value[1])
    if value in ("box", "image"):
        return value
    raise ValueError('should be two keypoints, as ["A", "B"], or "box" or "image"')


Name = Annotated[str, Field(max_length=80), AfterValidator(_name)]


class _LayoutTable(Table):
    name: Name
    keypoints: Annotated[list[Name], Field(max_length=500)]
    mirror_pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]]
    groups: dict[Name, list[str]]
    nme_by: Annotated[Any, BeforeValidator(_divisor)] = Field(
        None,
        validation_alias=AliasChoices("nme_by", "inter_ocular"),  # the latter is what earlier cards say
    )

    def build(self) -> KeypointLayout:
        return KeypointLayout(
            name=self.name,
            keypoints=tuple(self.keypoints),
            mirror_pairs=tuple((a, b) for a, b in self.mirror_pairs),
            groups={group: tuple(members) for group, members in self.groups.items()},
            nme_by=self.nme_by,
        )


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("should be text in quotes, with its unit")
    return value


def share_or_file(value: Any, info: ValidationInfo) -> float | Path:
    """A share of the faces, or the path of a file, relative to the card."""
    found = share_or_path(value)
    return Path(info.context or "") / found if isinstance(found, Path) else found


def share_or_path(value: Any) -> float | Path:
    """A share of the faces, or a path as it stands on the card."""
    if isinstance(value, str) and value:
        return Path(value)
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


def metric(name: str, info: ValidationInfo) -> str:
    """The name of a metric, which the card's layout allows."""
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=1)
        raise ValueError(
            "there is no such metric"
            + (f"; did you mean {near[0]!r}?" if near else ".")
            + f" Known: {', '.join(METRICS)}"
        )
    layout = info.data.get("layout")
    if METRICS[name].of_nme and layout is not None and layout.nme_by is None:
        raise ValueError(
            f"layout {layout.name!r} does not say what the nme is divided by; add nme_by to [layout]: two keypoints, "
            'as ["A", "B"], or "box" or "image"'
        )
    return name


def naming(value: str) -> str:
    """How authors are called where a board is shown."""
    if not re.fullmatch("authors|pseudonyms|top [1-9][0-9]{0,5}", value):
        raise ValueError('should be "authors", "pseudonyms", or "top 10" to name the ten best alone')
    return value


Duration = Annotated[float, BeforeValidator(lambda value: parse_seconds(_string(value)))]
Size = Annotated[int, BeforeValidator(lambda value: parse_bytes(_string(value)))]
