"""A board's rows, and their form in its CSV."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from harness.estimates import Estimate
from harness.grading.entry import Entry, row_name
from harness.metrics import METRICS
from harness.text import safe_cell

COLUMNS = (
    "rank",
    "author",
    "submission",
    *(column for metric in METRICS.values() for column in metric.columns),
    "band",
    "points",
    "max_points",
    "trained",
    "parameters",
    "training_seconds",
    "total_seconds",
    "peak_memory_mib",
    "device",
    "isolation",
    "held_out",
    "seed",
    "date",
    "id",
    "status",
    "reason",
)
HEADER = ",".join(COLUMNS) + "\n"


@dataclass(frozen=True)
class Row:
    """What a board shows of an entry; the names are those of `harness.grading.entry.Entry`.

    Attributes:
        rank: from 1; None for a failed entry.
        band, points, max_points: by the board's card where it is known, otherwise as the entry says.
        training_seconds, total_seconds: by the grader's clock.
        peak_memory: bytes.
    """

    id: str
    author: str
    submission: str
    scores: dict[str, Estimate]
    band: str | None
    points: float | None
    max_points: float | None
    trained: str
    parameters: int | None
    training_seconds: float
    total_seconds: float
    peak_memory: int
    device: str
    isolation: str
    held_out: str
    seed: int | None
    date: str
    status: str
    reason: str | None
    rank: int | None = None

    @classmethod
    def of(cls, entry: Entry) -> Row:
        """The row of an entry, not yet ranked."""
        same = {name: getattr(entry, name) for name in cls.__dataclass_fields__ if name in Entry.model_fields}
        return cls(training_seconds=entry.seconds.training, total_seconds=entry.seconds.total, **same)

    @classmethod
    def from_json(cls, text: str, **changes: Any) -> Row:
        """The row that `to_json` wrote, with some fields changed."""
        fields = json.loads(text)
        fields["scores"] = {name: Estimate(**each) for name, each in fields["scores"].items()}
        return cls(**fields | changes)

    def to_json(self) -> str:
        """The row as JSON."""
        return json.dumps(vars(self), default=vars)

    @property
    def name(self) -> str:
        """``author/submission``, or ``submission`` where no author was given."""
        return row_name(self.author, self.submission)

    def line(self) -> str:
        """Its line in the CSV, from the comma after the rank on."""
        cells: dict[str, object] = {}
        for metric in METRICS.values():
            cells |= metric.cells(self.scores.get(metric.name))
        cells |= {
            "points": _short(self.points),
            "max_points": _short(self.max_points),
            "training_seconds": f"{self.training_seconds:.1f}",
            "total_seconds": f"{self.total_seconds:.1f}",
            "peak_memory_mib": round(self.peak_memory / 2**20),
        }
        text = io.StringIO()
        values = ("", *(cells[column] if column in cells else getattr(self, column) for column in COLUMNS[1:]))
        csv.writer(text, lineterminator="\n").writerow(map(safe_cell, values))
        return text.getvalue()


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
