"""What a board's card makes of an entry's row: its place, its band and its points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.benchmark import Benchmark
from harness.board.table import Row
from harness.metrics import Metric
from harness.points import total


def ranked(row: Mapping[str, Any], metric: Metric) -> tuple[str, float | None]:
    """State and place (the best first) of a row, which is given as the JSON that was made of it."""
    if row["status"] != "graded":
        return "ranked", None
    value = row["scores"].get(metric.name, {}).get("value", math.nan)
    return ("ranked", metric.place(value)) if math.isfinite(value) else ("lacking", None)


def by_card(row: Row, metric: Metric, benchmark: Benchmark | None) -> Row:
    """A row with the band and the points that the card gives it."""
    value = _value(row, metric) if row.status == "graded" else None
    if benchmark is None or (row.status == "graded" and value is None):
        return row
    points, most = total(benchmark.marks(value))
    band = None if value is None else benchmark.best_band(value)
    return replace(row, band=band, points=points, max_points=most)


def _value(row: Row, metric: Metric) -> float | None:
    estimate = row.scores.get(metric.name)
    return estimate.value if estimate and math.isfinite(estimate.value) else None
