"""Durations and sizes as people write them: ``30m``, ``8g``."""

from __future__ import annotations

import re

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def parse_seconds(text: str) -> float:
    """Seconds in ``90``, ``90s``, ``30m`` or ``2h``.

    Raises:
        ValueError: the text is not a positive duration.
    """
    return _parse(text, _SECONDS, "a duration such as 90s, 30m or 2h")


def parse_bytes(text: str) -> int:
    """Bytes in ``512m`` or ``8g`` (powers of 1024).

    Raises:
        ValueError: the text is not a positive size.
    """
    return int(_parse(text, _BYTES, "a size such as 512m or 8g"))


def format_seconds(seconds: float) -> str:
    """A duration for people: ``4.2 s``, ``42 s``, ``3 min 05 s``, ``30 min``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == int(seconds) else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def format_bytes(count: float) -> str:
    """A size for people: ``500 bytes``, ``640 MiB``, ``1.5 GiB``."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1000 * unit else f"{count / unit:.0f} {name}"
    return f"{count:.0f} bytes"


def _parse(text: str, factors: dict[str, float] | dict[str, int], wanted: str) -> float:
    match = re.fullmatch(r"\s*(\d{1,12}(?:\.\d{1,12})?)\s*([a-z]?)\s*", text.lower())
    if match is None or match[2] not in factors or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not {wanted}")
    return float(match[1]) * factors[match[2]]
