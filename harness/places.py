"""Where files are: those that ship with the package, those of the current folder, those kept between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(kind: str) -> Path:
    """The folder of this kind (``data``, ``baselines``, ``submissions``) that came with the harness.

    In a wheel it lies inside the package; in a checkout it is the checkout's own.
    """
    inside = _PACKAGE / "_shipped"
    return (inside if inside.is_dir() else _PACKAGE.parent) / kind


def cards() -> dict[str, Path]:
    """Benchmark name -> its card; a ``data/`` in the current folder comes before the shipped one."""
    found: dict[str, Path] = {}
    for root in (Path("data"), shipped("data")):
        for card in sorted(root.glob("*/benchmark.toml")):
            found.setdefault(card.parent.name, card)
    return found


def prepared(benchmark: str) -> Path:
    """Where a benchmark's prepared arrays are kept: in the user's cache folder, where nobody else can put any."""
    if sys.platform == "darwin":
        cache = Path.home() / "Library" / "Caches"
    else:
        given = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # As its specification says, a relative one does not count; it would be the current folder's.
        cache = given if given.is_absolute() else Path.home() / ".cache"
    return cache / "facial-keypoint-harness" / benchmark
