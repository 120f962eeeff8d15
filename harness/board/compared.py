"""A board's rows with their standings: what was kept of each row's faces is read, and the rows are compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.board.index import Index
from harness.board.kept import Kept
from harness.board.table import COMPARED, HEADER, Row, standing
from harness.board.ties import MOST_ROWS, Contestant, faces_to_separate, standings
from harness.errors import LeaderboardError
from harness.metrics import PAIRED, Metric


def best_of_each(rows: Iterable[Row]) -> list[Row]:
    """The best row of each author's submission, ranked among themselves; failed ones last, as they come.

    Args:
        rows: best first.
    """
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        best.setdefault((row.author, row.submission), row)
    return [replace(row, rank=rank if row.status == "graded" else None) for rank, row in enumerate(best.values(), 1)]


def compared(rows: Sequence[Row], metric: Metric, kept: Kept) -> list[Row]:
    """Rows with their standings; those after the first `MOST_ROWS` are not compared.

    Args:
        rows: the best of each submission, best first.
        metric: the one that ranks.
        kept: where what each person adds to a score is kept.
    """
    graded = [row for row in rows[:MOST_ROWS] if row.status == "graded"]
    found = standings([_contestant(row, metric, kept) for row in graded])
    known = {row.id: vars(each) for row, each in zip(graded, found, strict=True)}
    return [replace(row, **known[row.id]) if row.id in known else row for row in rows]


def with_standings(rows: Sequence[Row], best: Sequence[Row]) -> list[Row]:
    """Rows with the standings of those of them that were compared; the others have none."""
    known = {row.id: {name: getattr(row, name) for name in COMPARED} for row in best if row.tie_group is not None}
    return [replace(row, **known[row.id]) if row.id in known else row for row in rows]


def more_faces(rows: Sequence[Row], metric: Metric, kept: Kept) -> float | None:
    """About how many more held-out faces would separate the first two rows; None if these do, or there are no two."""
    if len(rows) < 2 or rows[1].status != "graded":
        return None
    return faces_to_separate(*(_contestant(row, metric, kept) for row in rows[:2]))


def table_of(index: Index, metric: Metric, kept: Kept, entry_id: str = "") -> tuple[int | None, str]:
    """The rank of an entry, and the CSV of its board."""
    best = compared(index.best(MOST_ROWS), metric, kept)
    known = {row.id: (row.tie_group, row.p_above, row.p_best) for row in best}
    own, lines = None, [HEADER]
    for rank, (each, graded, line) in enumerate(index.lines(), start=1):
        lines.append(standing(rank if graded else None, *known.get(each, ())) + line)
        if graded and each == entry_id:
            own = rank
    return own, "".join(lines)


def _contestant(row: Row, metric: Metric, kept: Kept) -> Contestant:
    shares = None
    if row.shares and metric.name in PAIRED:
        try:
            shares = kept.shares(row.shares)[:, PAIRED.index(metric.name)]
        except (LeaderboardError, IndexError):
            shares = None  # the intervals are compared instead; `verify` says what is wrong
    return Contestant(row.scores[metric.name], shares, row.faces)
