"""Values with their uncertainty: estimates, and the bootstrap over subjects that makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_RESAMPLES = 1000
_LEVEL = 0.95


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

    def _means(self, values: Floats) -> tuple[Floats, Floats]:
        """The mean over all elements, and the same of each draw."""
        rows = values.reshape(len(values), -1)
        sums = np.bincount(self._unit, np.nansum(rows, axis=1), self._units)
        counts = np.bincount(self._unit, (~np.isnan(rows)).sum(axis=1), self._units)
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
