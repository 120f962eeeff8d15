from __future__ import annotations

import pytest

from harness.units import format_bytes, format_seconds, parse_bytes, parse_seconds


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(("text", "count"), [("512m", 2**29), ("8g", 2**33), ("8G", 2**33)])
def test_sizes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 minutes", "0", "nan"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_seconds(text)


def test_for_people() -> None:
    assert [format_seconds(s) for s in (4.2, 42, 185, 7800)] == ["4.2 s", "42 s", "3 min 05 s", "2 h 10 min"]
    assert [format_bytes(b) for b in (640 * 2**20, 3 * 2**29)] == ["640 MiB", "1.5 GiB"]
