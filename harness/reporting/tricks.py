"""The tricks of a submission: its recipe against the default one, and what an ablation measured of each."""

from __future__ import annotations

import csv
import inspect
import io
import math
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from harness.estimates import Estimate
from harness.files import read_regular
from harness.grading.entry import Entry
from harness.learning.recipe import Recipe

_LONGEST, _MOST = 2**20, 200
SHORT = 12
"""Digits of a fingerprint that the table of an ablation has of the code and of the data."""


@dataclass(frozen=True)
class Change:
    """A field of a recipe that is not as in the default one, in words."""

    field: str
    value: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Measured:
    """A trick as an ablation measured it: the error with the trick changed, and the difference that this made.

    Above 0 the error was larger with the change, so the trick helps.
    """

    trick: str
    error: Estimate | None
    difference: Estimate | None


@dataclass(frozen=True)
class Ablation:
    """What `harness ablate` wrote.

    Attributes:
        file: where it was found.
        rows: the submission as it is, then with each trick changed.
        fits: whether it is of this very code, on these faces.
    """

    file: str
    rows: tuple[Measured, ...]
    fits: bool

    @property
    def tricks(self) -> list[tuple[str, Estimate]]:
        """The tricks that were compared, those that help most first."""
        found = [(row.trick, row.difference) for row in self.rows if row.difference is not None]
        return sorted(found, key=lambda item: -item[1].value)

    @property
    def as_it_is(self) -> Estimate | None:
        """The error of the submission as it is, where it was trained for the ablation."""
        return self.rows[0].error if self.rows else None

    @property
    def extremes(self) -> list[float]:
        """How far the intervals of the differences reach from 0."""
        return [abs(end) for _, gain in self.tricks for end in (gain.low, gain.high)]


def changes(recipe: Mapping[str, Any]) -> list[Change]:
    """The fields in which a recipe differs from the default one, in the order of the recipe; its seed aside."""
    default = Recipe().as_dict()
    return [
        Change(name, shown(recipe[name]), shown(usual), meanings().get(name, ""))
        for name, usual in default.items()
        if name in recipe and recipe[name] != usual and name != "seed"
    ]


def switches(recipe: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The tricks of a recipe that are on, each with its value, and the names of those that are off."""
    off = {each.name: each.metadata["off"] for each in fields(Recipe) if each.metadata["off"] is not None}
    on = [f"{name} {shown(recipe[name])}" for name, value in off.items() if name in recipe and recipe[name] != value]
    return on, [name for name, value in off.items() if name in recipe and recipe[name] == value]


def find_ablation(entry: Entry, folder: Path = Path()) -> Ablation | None:
    """The table that `harness ablate` wrote of this submission, where there is one that can be read."""
    file = folder / f"{entry.submission}.ablation.csv"
    try:
        rows = list(csv.DictReader(io.StringIO(read_regular(file, _LONGEST).decode()), strict=True))[:_MOST]
        read = tuple(
            Measured(row["trick"], _estimate(row, "mean_pixel_error"), _estimate(row, "difference")) for row in rows
        )
        stamps = {(row.get("source"), row.get("data")) for row in rows}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return None
    own = entry.fingerprints.get("source", "")[:SHORT], entry.fingerprints.get("data", "")[:SHORT]
    return Ablation(file.name, read, stamps == {own})


@cache
def meanings() -> dict[str, str]:
    """Field of a recipe -> what it is, from the recipe's own documentation."""
    text = (inspect.getdoc(Recipe) or "").partition("Attributes:")[2].partition("Raises:")[0]
    found = re.findall(r"(?m)^    (\w+): (.*(?:\n {8}.*)*)", text)
    return {name: " ".join(words.replace("``", "").split()) for name, words in found}


def shown(value: object) -> str:
    """A value of a recipe as text."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return value[:60] if isinstance(value, str) else reprlib.repr(value)


def _estimate(row: Mapping[str, str], name: str) -> Estimate | None:
    cells = [row[name], row[f"{name}_low"], row[f"{name}_high"]]
    if not all(cells):
        return None
    value, low, high = map(float, cells)
    if not all(map(math.isfinite, (value, low, high))):
        raise ValueError("a figure is finite")
    return Estimate(value, low, high)
