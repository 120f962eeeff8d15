"""What a board shows, in sentences: what differences mean, and the board in figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.benchmark import band_in_words
from harness.board.statistics import Statistics
from harness.board.table import Row
from harness.metrics import Metric
from harness.text import one_line, shortened
from harness.units import format_seconds

_MOST_REASONS, _LONGEST_REASON = 5, 160
_MOST_FACES = 10**6


def on_chance(best: Sequence[Row], more_faces: float | None) -> list[str]:
    """Which rows are not significantly different from the best, the cheapest of them, and what would separate two.

    Args:
        best: the best row of each submission, compared.
        more_faces: as in `harness.board.results.Reading`.
    """
    compared = [row for row in best if row.tie_group is not None]
    if len(compared) < 2:
        return []
    tied = [row for row in compared if row.tie_group == 1]
    first = one_line(compared[0].name)
    if len(tied) == 1:
        return [f"{first} is significantly better than every other entry here."]
    others = "one other" if len(tied) == 2 else f"{len(tied) - 1} others"
    sentences = [f"The best, {first}, is not significantly different from {others} (tie group 1).", *_cheapest(tied)]
    if more_faces == math.inf:
        sentences.append("No number of held-out faces would separate the first two: they differ by nothing.")
    elif more_faces is not None:
        how_many = f"About {_round(more_faces):,}" if more_faces < _MOST_FACES else "More than a million"
        sentences.append(f"{how_many} more held-out faces would separate the first two, if they differ as on these.")
    return sentences


def _cheapest(tied: Sequence[Row]) -> list[str]:
    """The cheapest of rows that are tied, by parameters and by seconds of a training that was made here."""
    sized = [row for row in tied if row.parameters is not None]
    timed = [row for row in tied if row.trained == "here" and row.training_seconds]
    small = min(sized, key=lambda row: (row.parameters or 0, row.training_seconds), default=None)
    quick = min(timed, key=lambda row: row.training_seconds, default=None)
    parts = []
    if small:
        parts.append(f"{one_line(small.name)} with {small.parameters or 0:,} parameters")
    if quick:
        seconds = f"{format_seconds(quick.training_seconds)} of training"
        parts.append(seconds if quick is small else f"{one_line(quick.name)} with {seconds}")
    return [f"The cheapest entry tied with the best: {' and '.join(parts)}."] if parts else []


def in_figures(statistics: Statistics, metric: Metric) -> list[str]:
    """A board's statistics, a sentence each."""
    sentences = []
    if statistics.median is not None and statistics.best is not None:
        bands = [f"{count} {band_in_words(band)}" for band, count in statistics.bands.items() if count]
        who = "1 author" if statistics.authors == 1 else f"{statistics.authors} authors"
        figures = f"median {metric.number(statistics.median)}, best {metric.number(statistics.best)} {metric.unit}"
        sentences.append(f"{who}, by their best entries: {', '.join(bands)}; {figures.rstrip()}.")
    if statistics.failed:
        sentences.append(f"{statistics.failed} {'entry' if statistics.failed == 1 else 'entries'} failed:")
        shown = list(statistics.reasons.items())[:_MOST_REASONS]
        sentences += [f"  {count} x {shortened(one_line(reason), _LONGEST_REASON)}" for reason, count in shown]
        left = statistics.failed - sum(count for _, count in shown)
        sentences += [f"  {left} for other reasons"] if left else []
    return sentences


def _round(number: float) -> int:
    """To two digits, since it is a rough figure."""
    digits = max(0, len(str(int(number))) - 2)
    step = int(10**digits)
    return max(1, math.ceil(number / step) * step)


def p_text(p_value: float | None) -> str:
    """A p-value as text."""
    if p_value is None:
        return ""
    return "<0.001" if p_value < 0.001 else f"{p_value:.3f}"
