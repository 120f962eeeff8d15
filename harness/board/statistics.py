"""A board in figures: authors per band, the median and the best score, and why entries failed."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.benchmark import BANDS
from harness.board.table import Row
from harness.text import first_line

_PLACE = re.compile(r"^\S*?[\w.-]+\.\w{1,6}(, line \d+)?(, in \w+)?: ")
"""The beginning of a reason that names a file of the submission and a line of it."""


@dataclass(frozen=True)
class Statistics:
    """Of a board.

    Attributes:
        authors: how many have handed in; a submission without an author counts as one.
        bands: the best band first, then None for those below all -> how many authors' best entries are in it.
        median, best: of the authors' best scores, by the metric that ranks; None where nothing was graded.
        failed: how many entries failed.
        reasons: one sentence of each kind of reason -> how many entries failed for it, the most frequent first.
    """

    authors: int
    bands: dict[str | None, int]
    median: float | None
    best: float | None
    failed: int
    reasons: dict[str, int]


def statistics_of(rows: Sequence[Row], reasons: Sequence[str], ranked_by: str) -> Statistics:
    """The statistics of a board.

    Args:
        rows: at least the best of each author's submission, best first.
        reasons: why entries failed, of each that did.
        ranked_by: the metric that ranks.
    """
    best: dict[str, Row] = {}
    for row in rows:
        if row.status == "graded":
            best.setdefault(_author(row), row)
    scores = [row.scores[ranked_by].value for row in best.values()]
    bands = Counter(row.band for row in best.values())
    kinds: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for each in reasons:
        reason = _PLACE.sub("", first_line(each) or "without a reason")
        kind = re.sub(r"\d+", "#", reason)
        kinds[kind] += 1
        examples.setdefault(kind, reason)
    return Statistics(
        authors=len({_author(row) for row in rows}),
        bands={band: bands[band] for band in (*reversed(BANDS), None)},
        median=statistics.median(scores) if scores else None,
        best=scores[0] if scores else None,
        failed=kinds.total(),
        reasons={examples[kind]: count for kind, count in kinds.most_common()},
    )


def _author(row: Row) -> str:
    return row.author or f"/{row.submission}"
