"""Charts: whatever the numbers, what is drawn lies on the picture."""

from __future__ import annotations

import re

import pytest
from support.reports import Page

from harness.reporting.drawing import Series, bar, chart, difference_bar, linear_ticks, log_ticks


@pytest.mark.parametrize(
    "points",
    [
        [(1, 5.0)],
        [(1, 5.0), (1, 5.0)],
        [(1, 0.0), (2, 0.0)],
        [(1, 1.0), (2, None), (3, 2.0)],
        [(0, 1e-9), (1e6, 1e9)],
        [(-1, -1e308), (1, 1e308)],
        [(1, 0.02), (2, 90.0)],
    ],
)
def test_a_chart_of_any_numbers_stays_on_its_picture(points: list[tuple[float, float | None]]) -> None:
    drawn = str(chart("x", "Title", "Words", [Series("a", points)], x_label="x", y_label="y"))

    assert Page(drawn).wrong == []
    places = [
        tuple(map(float, pair))
        for pair in re.findall(r"(-?[\d.]+),(-?[\d.]+)", " ".join(re.findall(r'points="([^"]*)"', drawn)))
    ]
    assert all(0 <= x <= 400 and 0 <= y <= 240 for x, y in places)
    assert "nan" not in drawn and "inf" not in drawn


def test_a_gap_divides_a_line() -> None:
    drawn = chart("x", "T", "W", [Series("a", [(1, 1), (2, 2), (3, None), (4, 4), (5, 5)])], x_label="x", y_label="y")

    assert drawn.count("<polyline") == 2


@pytest.mark.parametrize(
    ("ticks", "wanted"),
    [
        (linear_ticks(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (linear_ticks(1, 70, 6), [20, 40, 60]),
        (linear_ticks(3, 3), [3]),
        (log_ticks(1.8, 25), [2, 5, 10, 20]),
        (log_ticks(1e-3, 1e3), [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000]),
    ],
)
def test_ticks_are_round(ticks: list[float], wanted: list[float]) -> None:
    assert ticks == pytest.approx(wanted)


def test_bars_reach_as_far_as_their_values() -> None:
    def widths(drawn: str) -> list[float]:
        return [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]

    assert widths(bar(5, 10)) == [60] and widths(bar(20, 10)) == [120]
    assert widths(difference_bar(-5, 10, -6, -4)) == [30] and "better" in difference_bar(-5, 10, -6, -4)
    assert "worse" not in difference_bar(5, 10, -1, 11)
