"""What a score is worth in a grade book: the card's table ``[points]``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.metrics import Metric

Worth = Annotated[float, Field(ge=0, le=10**6, allow_inf_nan=False)]
Figure = Annotated[float, Field(allow_inf_nan=False)]
_DIGITS = 6
"""Of sums and differences of points, so that 0.3 - 0.2 is 0.1."""


@dataclass(frozen=True)
class Mark:
    """One line of a grade book.

    Attributes:
        name: what it is given for.
        points: from 0 to ``max_points``.
        reached: whether it counts as passed.
    """

    name: str
    points: Worth
    max_points: Worth
    reached: bool

    @property
    def worth(self) -> str:
        """Its points in words, such as ``5 of 10 points``."""
        return in_words(self.points, self.max_points)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BandPoints(_Table):
    """Points for the best band that a score earns; below ``ok`` there are none."""

    by: Literal["bands"] = "bands"
    ok: Worth
    very_good: Worth
    outstanding: Worth

    def check(self, metric: Metric) -> None:
        """Make sure that a better band is not worth less.

        Raises:
            ValueError: it is.
        """
        if not self.ok <= self.very_good <= self.outstanding:
            raise ValueError("a better band should not be worth less; ok, very_good and outstanding should rise")

    def marks(self, value: float | None, metric: Metric, bands: Mapping[str, float]) -> list[Mark]:
        """A mark for each band, worth what it adds to the band before.

        Args:
            value: of the card's metric; None where the submission failed.
            metric: the card's.
            bands: band -> the worst value that earns it, from the easiest to the hardest.
        """
        limit = "at most" if metric.better == "lower" else "at least"
        return _steps(
            (
                f"{band.replace('_', ' ')}: {metric.title} of {limit} {_figure(edge, metric)}",
                getattr(self, band),
                value is not None and metric.reaches(value, edge),
            )
            for band, edge in bands.items()
        )


class LinePoints(_Table):
    """Points that rise along a straight line between two values of the card's metric.

    Attributes:
        most: the points at ``all_at`` and for anything better.
        all_at, none_at: the value that earns all of them, and the one that earns none, as anything worse does.
    """

    by: Literal["line"]
    most: Worth
    all_at: Figure
    none_at: Figure

    def check(self, metric: Metric) -> None:
        """Make sure that ``all_at`` is better than ``none_at``.

        Raises:
            ValueError: it is not.
        """
        if metric.place(self.all_at) >= metric.place(self.none_at):
            raise ValueError(
                f"all_at ({self.all_at:g}) should be better than none_at ({self.none_at:g}); of {metric.title} "
                f"{metric.better} is better"
            )

    def marks(self, value: float | None, metric: Metric, bands: Mapping[str, float]) -> list[Mark]:
        """One mark, rounded to hundredths."""
        share = 0.0 if value is None else (value - self.none_at) / (self.all_at - self.none_at)
        points = round(self.most * min(1.0, max(0.0, share)), 2)
        name = f"{metric.title}: none at {_figure(self.none_at, metric)}, all at {_figure(self.all_at, metric)}"
        return [Mark(name, points, self.most, points > 0)]


class Beaten(_Table):
    """A baseline to beat: what it scored on the same held-out faces, and what it is worth to be better."""

    score: Figure
    points: Worth


class BaselinePoints(_Table):
    """Points for the best of the named baselines that a score is better than."""

    by: Literal["baselines"]
    beat: Annotated[dict[str, Beaten], Field(min_length=1, max_length=20)]

    def check(self, metric: Metric) -> None:
        """Make sure that a better baseline is not worth less.

        Raises:
            ValueError: it is.
        """
        worth = [each.points for _, each in self._easiest_first(metric)]
        if worth != sorted(worth):
            raise ValueError("a better baseline should not be worth less; its points should rise with its score")

    def marks(self, value: float | None, metric: Metric, bands: Mapping[str, float]) -> list[Mark]:
        """A mark for each baseline, worth what it adds to the one before."""
        return _steps(
            (
                f"better than {name}: {metric.title} of {_figure(each.score, metric)}",
                each.points,
                value is not None and not metric.reaches(each.score, value),
            )
            for name, each in self._easiest_first(metric)
        )

    def _easiest_first(self, metric: Metric) -> list[tuple[str, Beaten]]:
        return sorted(self.beat.items(), key=lambda item: (-metric.place(item[1].score), item[1].points))


Points = BandPoints | LinePoints | BaselinePoints

A_POINT_A_BAND = BandPoints(ok=1, very_good=2, outstanding=3)


def total(marks: Iterable[Mark]) -> tuple[float, float]:
    """The points of all marks together, and how many there are to have."""
    marks = list(marks)
    return round(sum(each.points for each in marks), _DIGITS), round(sum(each.max_points for each in marks), _DIGITS)


def in_words(points: float, most: float) -> str:
    """Points in words, such as ``5 of 10 points``."""
    return f"{points:g} of {most:g} point{'s' * (most != 1)}"


def _steps(steps: Iterable[tuple[str, float, bool]]) -> list[Mark]:
    """Marks of (name, points up to here, whether reached), the easiest first; a harder one implies the easier ones."""
    marks, before = [], 0.0
    for name, worth, reached in steps:
        added = round(worth - before, _DIGITS)
        marks.append(Mark(name, added if reached else 0.0, added, reached))
        before = worth
    return marks


def _figure(value: float, metric: Metric) -> str:
    return f"{value:g} {metric.unit}".rstrip()
