"""Values with their uncertainty: estimates, the bootstrap over subjects that makes them, and several trainings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RESAMPLES = 1000
_LEVEL = 0.95
_MOST_GROUPS = 500
"""Of subjects, when what each adds to a mean is kept."""


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval (percentiles of a bootstrap over subjects)."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval of a difference lies wholly on one side of 0."""
        return self.low > 0 or self.high < 0


def over_trainings(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of what several trainings gave, with an interval over subjects and trainings.

    Two errors add up: that of the subjects, whose half-widths are averaged, and that of the trainings, whose mean has a
    95 % interval by Student's t. They are added as squares, each side by itself ("MOVER": Zou and Donner, "Construction
    of confidence limits about effect measures", Statistics in Medicine 27, 2008). With two trainings t is 12.7, with
    five 2.8: few trainings say little about how much luck there is.

    Args:
        estimates: one for each training, on the same subjects; a single one is returned as it is.
    """
    if len(estimates) == 1:
        return estimates[0]
    from scipy.special import stdtrit  # takes a moment, and most gradings train once

    values = np.array([each.value for each in estimates])
    value, below, above = (
        float(np.mean(part))
        for part in (values, values - [each.low for each in estimates], [each.high for each in estimates] - values)
    )
    luck = stdtrit(len(values) - 1, (1 + _LEVEL) / 2) * values.std(ddof=1) / math.sqrt(len(values))
    return Estimate(value, value - math.hypot(below, luck), value + math.hypot(above, luck))


class Bootstrap:
    """Percentile bootstrap that draws whole subjects, since errors on images of one subject are alike.

    Where only one subject is known, images are drawn instead. Missing values are NaN.

    Args:
        subjects: (N,), the subject of each image.
    """

    def __init__(self, subjects: NDArray[np.int64]) -> None:
        units = subjects if len(np.unique(subjects)) > 1 else np.arange(len(subjects))
        names, self._unit = np.unique(units, return_inverse=True)
        self._units = len(names)
        rng = np.random.default_rng(0)
        self._draws = rng.multinomial(self._units, np.full(self._units, 1 / self._units), size=_RESAMPLES)

    def mean(self, values: Floats, then: Callable[[Floats], Floats] = np.asarray) -> Estimate:
        """The mean over all elements of values (N,) or (N, ...), passed through ``then``."""
        value, resampled = self._means(values)
        return _estimate(then(value), then(resampled))

    def difference(self, values: Floats, other: Bootstrap, others: Floats) -> Estimate:
        """The mean of values (N, ...) less that of values (M, ...) of other subjects, drawn independently."""
        value, resampled = self._means(values)
        subtrahend, drawn = other._means(others)
        count = min(len(resampled), len(drawn))
        # Both drew with the same random numbers, so the order of one is reversed.
        return _estimate(value - subtrahend, resampled[:count] - drawn[:count][::-1])

    def shares(self, values: Floats) -> Floats:
        """(1 + G,): the mean over all elements of values (N, ...), then what each subject adds to it; these sum to 0.

        The shares of two predictions of the same images, subtracted, give the standard error of the difference of their
        means. Where there are many subjects, G is 500 and each share is that of some of them.
        """
        sums, counts = self._totals(values)
        group = np.arange(self._units) * min(self._units, _MOST_GROUPS) // self._units
        with np.errstate(invalid="ignore"):  # of nothing, all of it is NaN
            mean = sums.sum() / counts.sum()
            return np.concatenate([[mean], np.bincount(group, (sums - mean * counts) / counts.sum())])

    def _totals(self, values: Floats) -> tuple[Floats, NDArray[np.int64]]:
        """The sum over each unit's elements, and how many there are."""
        rows = values.reshape(len(values), -1)
        sums = np.bincount(self._unit, np.nansum(rows, axis=1), self._units).astype(np.float64)
        return sums, np.bincount(self._unit, (~np.isnan(rows)).sum(axis=1), self._units).astype(np.int64)

    def _means(self, values: Floats) -> tuple[Floats, Floats]:
        """The mean over all elements, and the same of each draw."""
        sums, counts = self._totals(values)
        drawn = self._draws @ counts
        # A keypoint labelled in few subjects may be missing from a draw.
        resampled = (self._draws @ sums)[drawn > 0] / drawn[drawn > 0]
        return np.asarray(sums.sum() / counts.sum()), resampled

    def quantile(self, values: Floats, q: float) -> Estimate:
        """A quantile over all elements of values (N, K)."""
        rows, columns = np.nonzero(~np.isnan(values))
        flat = values[rows, columns]
        order = np.argsort(flat)
        ordered, unit = flat[order], self._unit[rows[order]]

        def weighted(draw: NDArray[np.int64]) -> float:
            cumulative = np.cumsum(draw[unit])
            return float(ordered[min(np.searchsorted(cumulative, q * cumulative[-1]), len(ordered) - 1)])

        return _estimate(np.quantile(flat, q), np.array([weighted(draw) for draw in self._draws]))


def _estimate(value: float | Floats, resampled: Floats) -> Estimate:
    low, high = np.quantile(resampled, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))
