from __future__ import annotations

import pytest

from harness.units import format_bytes, format_seconds, parse_bytes, parse_seconds


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(("text", "count"), [("512m", 2**29), ("8g", 2**33), ("8G", 2**33)])
def test_sizes(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 minutes", "0", "nan", "9" * 400 + "h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (4.2, "4.2 s"),
        (8, "8 s"),
        (42.4, "42 s"),
        (185, "3 min 05 s"),
        (1800, "30 min"),
        (7200, "2 h"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(500, "500 bytes"), (2048, "2 KiB"), (3 * 2**19, "1.5 MiB"), (640 * 2**20, "640 MiB"), (2**33, "8 GiB")],
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert format_bytes(count) == text
