"""A board's entries before and after a fix: which are to be graded anew, and what became of their grades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.benchmark import BANDS, band_in_words
from harness.board.leaderboard import Leaderboard
from harness.errors import LeaderboardError
from harness.grading.entry import Entry
from harness.metrics import METRICS
from harness.text import csv_text

COLUMNS = (
    "author",
    "submission",
    "metric",
    "before",
    "before_low",
    "before_high",
    "after",
    "after_low",
    "after_high",
    "change",
    "before_band",
    "after_band",
    "before_points",
    "after_points",
    "fell",
    "before_status",
    "after_status",
    "after_reason",
    "regraded_because",
    "before_id",
    "after_id",
)


@dataclass(frozen=True)
class Change:
    """An entry before and after it was graded anew."""

    before: Entry
    after: Entry

    @property
    def fell(self) -> bool:
        """Whether the grade fell: fewer points, a lower band, or a failure in the place of a score."""
        if self.after.status != self.before.status:
            return self.after.status == "failed"
        if _band(self.after) < _band(self.before):
            return True
        before, after = self.before.points, self.after.points
        return before is not None and after is not None and after < before

    def __str__(self) -> str:
        """In words, such as ``ana/mine: 1.493 to 1.552 px, very good to ok, 15 to 10 points``."""
        if self.after.status == "failed":
            return f"{self.before.name}: {'graded' if self.before.status == 'graded' else 'failed'} to failed"
        metric = METRICS[self.after.metric]
        value = self.before.scores.get(metric.name)
        was = metric.number(value.value) if value else "failed"
        parts = [f"{was} to {metric.number(self.after.scores[metric.name].value)} {metric.title}"]
        if self.before.band != self.after.band:
            parts.append(f"{band_in_words(self.before.band)} to {band_in_words(self.after.band)}")
        if None not in (self.before.points, self.after.points) and self.before.points != self.after.points:
            parts.append(f"{self.before.points:g} to {self.after.points:g} points")
        return f"{self.before.name}: {', '.join(parts)}"


def to_regrade(board: Leaderboard, author: str | None, reason: str, now: Mapping[str, str]) -> list[Entry]:
    """The entries that stand and were not yet graded anew for this reason, so that an interrupted command goes on.

    Args:
        board: whose entries.
        author: whose; everybody's if None.
        reason: why they are graded anew.
        now: fingerprints of the data, the card and the harness; if one has changed since, all are graded anew.

    Raises:
        LeaderboardError: there are none of this author.
    """
    nodes = board.nodes()
    replaced = {node.replaces for node in nodes}
    entries = [Entry.read(board.entries / node.file) for node in nodes if node.id not in replaced]
    standing = [entry for entry in entries if author in (None, entry.author)]
    if not standing:
        authors = ", ".join(sorted({entry.author for entry in entries if entry.author})) or "none that has a name"
        raise LeaderboardError(f"board {board.name!r} has no entry of author {author!r}; it has those of {authors}")
    left = [
        entry
        for entry in standing
        if entry.regrade is None or entry.regrade.reason != reason or now.items() - entry.fingerprints.items()
    ]
    return sorted(left, key=lambda entry: (entry.date, entry.id))


def as_csv(changes: Iterable[Change]) -> str:
    """The entries before and after, a row each."""
    return csv_text([COLUMNS, *map(_row, changes)])


def _row(change: Change) -> Sequence[object]:
    before, after = change.before, change.after
    metric = METRICS[after.metric]
    first, second = before.scores.get(metric.name), after.scores.get(metric.name)

    def figures(entry: Entry) -> list[str]:
        estimate = entry.scores.get(metric.name)
        return [f"{value:.4f}" for value in vars(estimate).values()] if estimate else ["", "", ""]

    return [
        after.author,
        after.submission,
        metric.name,
        *figures(before),
        *figures(after),
        round(second.value - first.value, 4) if first and second else "",
        before.band or "",
        after.band or "",
        "" if before.points is None else f"{before.points:g}",
        "" if after.points is None else f"{after.points:g}",
        "yes" if change.fell else "no",
        before.status,
        after.status,
        after.reason or "",
        after.regrade.reason if after.regrade else "",
        before.id,
        after.id,
    ]


def _band(entry: Entry) -> int:
    """From 0, below all bands."""
    return 1 + BANDS.index(entry.band) if entry.band in BANDS else 0
