"""What differences between rows of a board mean: paired tests, corrected for the number of rows, and tie groups.

Two rows are compared over the same people. Each person adds something to each score (its share, see
`harness.estimates.Bootstrap.shares`), and the differences of two rows' shares give the standard error of the difference
of their scores, as in `harness compare`. Where a row was trained several times, the spread between its trainings is
added. The test is Student's t, two-sided. Where shares are not kept with one of the two, the half-widths of their
intervals take their place, as if the two had been scored on different people; that finds fewer differences.

A tie group: its first row is the best that is in no group yet. It is compared with every row that is in none either;
the p-values are corrected by Holm's method (Scandinavian Journal of Statistics 6, 1979), and all rows that are not
significantly different from it at 5 % are of its group. So of two rows in one group each is not significantly different
from the group's first row, which says nothing of the two; and a row of the second group is significantly different from
the best, although a row below it may not be, if its errors vary more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.estimates import Estimate, Floats

LEVEL = 0.05
"""A corrected p-value below it is significant."""
MOST_ROWS = 200
"""How many rows of a board are compared, the best first."""
_NORMAL = 1.959964
_POWER = 0.841621
"""Quantiles of the normal distribution for an interval of 95 % and a power of 80 %."""
_MANY = 1e9
"""Degrees of freedom where Student's t is the normal distribution."""


@dataclass(frozen=True)
class Contestant:
    """A row, as far as it is compared.

    Attributes:
        score: by the metric that ranks.
        shares: (T, 1 + G), of each training the mean and what each person, or group of people, adds to it; None where
            that is not kept.
        faces: how many it was scored on.
    """

    score: Estimate
    shares: Floats | None = None
    faces: int = 0


@dataclass(frozen=True)
class Standing:
    """How a row stands to others.

    Attributes:
        tie_group: from 1.
        p_above, p_best: p-values of the comparisons with the row above it and with the best row, each corrected for the
            number of rows; None for the best row.
    """

    tie_group: int
    p_above: float | None
    p_best: float | None


class Comparisons:
    """Paired comparisons between rows.

    Args:
        rows: best first.
    """

    def __init__(self, rows: Sequence[Contestant]) -> None:
        sizes = [row.shares.shape[1] for row in rows if row.shares is not None]
        size = max(sizes, key=sizes.count, default=1)
        self._paired = np.array([row.shares is not None and row.shares.shape[1] == size for row in rows])
        self._values = np.array([row.score.value for row in rows])
        self._variances = np.array([((row.score.high - row.score.low) / (2 * _NORMAL)) ** 2 for row in rows])
        self._means, self._luck, self._freedom = np.zeros(len(rows)), np.zeros(len(rows)), np.ones(len(rows))
        shares = np.zeros((len(rows), size - 1))
        for number, row in enumerate(rows):
            if self._paired[number] and row.shares is not None:
                trainings = len(row.shares)
                self._means[number] = row.shares[:, 0].mean()
                shares[number] = row.shares[:, 1:].mean(axis=0)
                if trainings > 1:
                    self._luck[number] = row.shares[:, 0].var(ddof=1) / trainings
                    self._freedom[number] = trainings - 1
        self._groups = size - 1
        self._products = shares @ shares.T

    def p_values(self, row: int | NDArray[np.intp], others: NDArray[np.intp]) -> Floats:
        """Of the comparisons of a row with others, or of each row with one other; not corrected."""
        from scipy.special import stdtr

        difference, variance, freedom = self._tests(row, others)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(difference) / np.sqrt(variance)
        return np.asarray(np.where(np.isnan(t), 1.0, 2 * stdtr(freedom, -np.nan_to_num(t))))

    def deviation(self, row: int, other: int) -> float:
        """The difference of two scores over its standard error; infinite where that is 0 and they differ."""
        difference, variance, _ = self._tests(row, np.array([other]))
        if difference[0] == 0:
            return 0.0
        return float(abs(difference[0]) / math.sqrt(variance[0])) if variance[0] else math.inf

    def _tests(self, row: int | NDArray[np.intp], others: NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
        """Difference, its variance and the degrees of freedom of that (Satterthwaite's, where trainings add to it)."""
        paired = self._paired[row] & self._paired[others]
        groups = max(self._groups, 2)
        products = self._products
        over_people = products[row, row] + products[others, others] - 2 * products[row, others]
        over_people = np.maximum(over_people, 0) * groups / (groups - 1)
        luck = [self._luck[row], self._luck[others]]
        variance = over_people + luck[0] + luck[1]
        parts = over_people**2 / (groups - 1) + luck[0] ** 2 / self._freedom[row] + luck[1] ** 2 / self._freedom[others]
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = np.where(parts > 0, variance**2 / parts, _MANY)
        return (
            np.where(paired, self._means[row] - self._means[others], self._values[row] - self._values[others]),
            np.where(paired, variance, self._variances[row] + self._variances[others]),
            np.where(paired, freedom, _MANY),
        )


def holm(p_values: Floats) -> Floats:
    """P-values (n,) corrected for there being n of them."""
    order = np.argsort(p_values, kind="stable")
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    return np.minimum(corrected, 1.0)


def standings(rows: Sequence[Contestant]) -> list[Standing]:
    """How each row stands to the others.

    Args:
        rows: graded ones, best first; those of one board.
    """
    if not rows:
        return []
    compare, count = Comparisons(rows), len(rows)
    best = holm(compare.p_values(0, np.arange(1, count)))
    above = holm(compare.p_values(np.arange(1, count), np.arange(count - 1)))
    groups = np.zeros(count, np.int64)
    group, left = 0, np.arange(count)
    while len(left):
        group += 1
        first, others = int(left[0]), left[1:]
        tied = holm(compare.p_values(first, others)) >= LEVEL
        groups[first] = groups[others[tied]] = group
        left = others[~tied]
    return [
        Standing(int(groups[row]), float(above[row - 1]) if row else None, float(best[row - 1]) if row else None)
        for row in range(count)
    ]


def faces_to_separate(first: Contestant, second: Contestant) -> float | None:
    """About how many more held-out faces would show that two rows differ as much as they do on these.

    That many that a test at 5 % would find it in 80 % of cases. None where these faces show it already, or how many
    they are is not known; infinite where the scores are the same.
    """
    deviation = Comparisons([first, second]).deviation(0, 1)
    if deviation >= _NORMAL or not first.faces:
        return None
    if deviation == 0:
        return math.inf
    return first.faces * (((_NORMAL + _POWER) / deviation) ** 2 - 1)
