"""A class as a table: a line for every student, whoever handed in and whoever did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.grading.entry import Entry
from harness.metrics import METRICS
from harness.submission.hand_ins import HandIn, Student
from harness.text import csv_text

COLUMNS = (
    *("student", "id", "author", "submission", "status", "late", "mean_pixel_error", "low", "high", "band"),
    *("points", "max_points", "reason"),
)


@dataclass(frozen=True)
class Line:
    """A student, and what came of their hand-in.

    Attributes:
        student: who.
        hand_in: None where the student is on the roster only.
        entry: None where nothing was handed in, or the grading has not come so far.
    """

    student: Student
    hand_in: HandIn | None = None
    entry: Entry | None = None

    @property
    def status(self) -> str:
        """What the table says of it in a word or few."""
        if self.hand_in is None or self.hand_in.source is None:
            return "nothing handed in"
        return self.entry.status if self.entry else "not graded"


def as_csv(lines: Sequence[Line]) -> str:
    """The table, ordered as given."""
    return csv_text([COLUMNS, *map(_cells, lines)])


def _cells(line: Line) -> list[object]:
    student, hand_in, entry = line.student, line.hand_in, line.entry
    late = "late" if hand_in and hand_in.late else ""
    author = hand_in.author if hand_in else ""
    about: list[object] = [student.name, student.ids[0] if student.ids else "", author]
    if entry is None:
        return [*about, "", line.status, late, *[""] * 7]
    pixels = METRICS["mean_pixel_error"]
    score = entry.scores.get(pixels.name)
    figures = [f"{value:.4f}" for value in (score.value, score.low, score.high)] if score else [""] * 3
    points = ["" if each is None else f"{each:g}" for each in (entry.points, entry.max_points)]
    return [*about, entry.submission, line.status, late, *figures, entry.band or "", *points, entry.reason or ""]
