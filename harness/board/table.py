"""A board's rows, and their form in its CSV."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.estimates import Estimate
from harness.grading.entry import Entry, row_name
from harness.metrics import METRICS
from harness.text import csv_text

COLUMNS = (
    "rank",
    "tie_group",
    "p_above",
    "p_best",
    "author",
    "submission",
    *(column for metric in METRICS.values() for column in metric.columns),
    "band",
    "points",
    "max_points",
    "change",
    "trained",
    "parameters",
    "size",
    "training_seconds",
    "total_seconds",
    "peak_memory_mib",
    "device",
    "isolation",
    "held_out",
    "seeds",
    "seed",
    "date",
    "id",
    "fingerprints",
    "status",
    "reason",
)
HEADER = ",".join(COLUMNS) + "\n"
COMPARED = ("tie_group", "p_above", "p_best")
"""Columns that depend on what each person adds to a score, which a copy of the board may lack."""
_STANDING = 1 + len(COMPARED)
_SHORT_HASH = 12


@dataclass(frozen=True)
class Row:
    """What a board shows of an entry; the names are those of `harness.grading.entry.Entry`.

    Attributes:
        rank: from 1; None for a failed entry.
        tie_group, p_above, p_best: see `harness.board.ties.Standing`; None where it was not compared.
        change: its score less that of its author's last entry before it, by the metric that ranks.
        band, points, max_points: by the board's card where it is known, otherwise as the entry says.
        size: bytes of code and weights.
        seeds: how many trainings its score is the mean of.
        faces: how many held-out faces the score is of.
        shares: hash of what each person adds to its scores; empty where that is not kept.
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
    size: int | None
    seeds: int
    seed: int | None
    faces: int
    fingerprints: dict[str, str]
    shares: str
    date: str
    status: str
    reason: str | None
    rank: int | None = None
    change: float | None = None
    tie_group: int | None = None
    p_above: float | None = None
    p_best: float | None = None

    @classmethod
    def of(cls, entry: Entry) -> Row:
        """The row of an entry, not yet ranked."""
        same = {name: getattr(entry, name) for name in _SAME}
        return cls(
            training_seconds=entry.seconds.training,
            total_seconds=entry.seconds.total,
            seeds=max(1, len(entry.trainings)),
            faces=next((stratum.images for stratum in entry.strata.values()), 0),
            shares=entry.kept.get("shares", ""),
            **same,
        )

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
        """Its line in the CSV, from the comma after `standing` on."""
        cells: dict[str, object] = {}
        for metric in METRICS.values():
            cells |= metric.cells(self.scores.get(metric.name))
        cells |= {
            "points": _short(self.points),
            "max_points": _short(self.max_points),
            "change": "" if self.change is None else f"{self.change:.4f}",
            "fingerprints": ", ".join(f"{name} {each[:_SHORT_HASH]}" for name, each in self.fingerprints.items()),
            "training_seconds": f"{self.training_seconds:.1f}",
            "total_seconds": f"{self.total_seconds:.1f}",
            "peak_memory_mib": round(self.peak_memory / 2**20),
        }
        values = ("", *(cells[column] if column in cells else getattr(self, column) for column in COLUMNS[_STANDING:]))
        return csv_text([values])

    def standing(self) -> str:
        """The beginning of its line: its rank and how it stands to other rows."""
        return standing(self.rank, self.tie_group, self.p_above, self.p_best)


_SAME = tuple(Row.__dataclass_fields__.keys() & Entry.model_fields.keys())
"""What a row takes from an entry as it is."""


def standing(rank: int | None, tie_group: int | None = None, *p_values: float | None) -> str:
    """The beginning of a line in the CSV."""
    group = "" if tie_group is None else tie_group
    cells = ["" if each is None else f"{each:.4f}" for each in p_values or (None,) * (_STANDING - 2)]
    return ",".join(["" if rank is None else str(rank), str(group), *cells])


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
