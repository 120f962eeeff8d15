"""The metrics, each declared once: what it is called, which way is better, how it is computed, what the CSV shows.

Scores, bands, ranks, ``--require`` and the columns of a board ask these declarations. A new metric is one more of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from harness.estimates import Bootstrap, Estimate, Floats

FAILURE_THRESHOLD = 0.1
"""Images with a larger nme count as failures; WFLW's convention (Wu et al., CVPR 2018)."""


@dataclass(frozen=True)
class Errors:
    """What a metric is computed from: how far predictions of N images are from their labels.

    Attributes:
        distances: (N, K), Euclidean, in pixels; NaN where the label is missing.
        nme: (N,), each image's mean distance over what its layout divides by; NaN where that is not known.
        bootstrap: over the subjects of the N images.
    """

    distances: Floats
    nme: Floats
    bootstrap: Bootstrap


@dataclass(frozen=True)
class Metric:
    """A metric's declaration.

    Attributes:
        name: its key in scores, on a card and in the CSV.
        title: its name in text.
        unit: of its values; a share has none.
        better: whether lower or higher values are better.
        values: what it is computed of, an array of N rows, NaN where missing.
        then: what is made of their mean.
        quantile: which of their quantiles it is, where it is not made of their mean.
        of_nme: whether it is computed from the nme; it cannot be where no image has what its layout divides by.
        parts: what the CSV shows of the estimate, a column each.
    """

    name: str
    title: str
    unit: Literal["px", ""]
    better: Literal["lower", "higher"]
    values: Callable[[Errors], Floats]
    then: Callable[[Floats], Floats] = np.asarray
    quantile: float | None = None
    of_nme: bool = False
    parts: tuple[Literal["value", "low", "high"], ...] = ("value",)

    def of(self, errors: Errors) -> Estimate:
        """Its value, with an interval."""
        if self.quantile is not None:
            return errors.bootstrap.quantile(self.values(errors), self.quantile)
        return errors.bootstrap.mean(self.values(errors), self.then)

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in the CSV of a board: the name for the value, ``_low`` and ``_high`` for the interval."""
        return tuple(self.name if part == "value" else f"{self.name}_{part}" for part in self.parts)

    def cells(self, estimate: Estimate | None) -> dict[str, str]:
        """Column -> what stands in it; empty where there is no estimate."""
        texts = [f"{getattr(estimate, part):.4f}" if estimate else "" for part in self.parts]
        return dict(zip(self.columns, texts, strict=True))

    def place(self, value: float) -> float:
        """What to sort values by, the best first."""
        return value if self.better == "lower" else -value

    def reaches(self, value: float, edge: float) -> bool:
        """Whether a value is at least as good as another."""
        return self.place(value) <= self.place(edge)

    def number(self, value: float) -> str:
        """A value as text, without its unit."""
        return f"{value:.{2 if self.unit else 3}f}"

    def interval(self, estimate: Estimate) -> str:
        """An estimate and its interval as text, without the unit."""
        return f"{self.number(estimate.value)}  [{self.number(estimate.low)}, {self.number(estimate.high)}]"


def _distances(errors: Errors) -> Floats:
    return errors.distances


def _nme(errors: Errors) -> Floats:
    return errors.nme


def _failures(errors: Errors) -> Floats:
    return np.where(np.isnan(errors.nme), np.nan, errors.nme > FAILURE_THRESHOLD)


def _auc(errors: Errors) -> Floats:
    # An image counts in the cumulative curve from its own nme upwards, so the area is the mean of what lies above that.
    return np.clip(1 - errors.nme / FAILURE_THRESHOLD, 0, None)


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "mean_pixel_error",
            "mean pixel error",
            "px",
            "lower",
            _distances,
            parts=("value", "low", "high"),
        ),
        Metric(
            "rmse",
            "rmse",
            "px",
            "lower",
            # The squared distance is the sum of two squared coordinate errors, hence the half.
            lambda errors: errors.distances**2 / 2,
            np.sqrt,
            parts=("value", "low", "high"),
        ),
        Metric("median", "median error", "px", "lower", _distances, quantile=0.5),
        Metric("percentile_95", "95th percentile of the error", "px", "lower", _distances, quantile=0.95),
        Metric("nme", "nme", "", "lower", _nme, of_nme=True),
        Metric("failure_rate", "failure rate", "", "lower", _failures, of_nme=True),
        Metric("auc", "auc", "", "higher", _auc, of_nme=True),
    )
}
"""Name -> metric, in the order in which they are shown.

In pixels: ``mean_pixel_error`` (mean Euclidean distance over every labelled keypoint), ``rmse`` (root of the mean
squared coordinate error, Kaggle's measure), ``median`` and ``percentile_95`` of the distances. Of the nme: ``nme``
(its mean over images), ``failure_rate`` (share of images above 0.1) and ``auc`` (area under its cumulative error
distribution up to 0.1, between 0 and 1).
"""

PAIRED = tuple(metric.name for metric in METRICS.values() if metric.quantile is None)
"""Those by which predictions are compared face by face, in the order in which that is kept; new ones come last."""


def measure(errors: Errors) -> dict[str, Estimate]:
    """Every metric that can be computed; those of the nme are absent where it is not known of any image."""
    blind = bool(np.isnan(errors.nme).all())
    return {name: metric.of(errors) for name, metric in METRICS.items() if not (blind and metric.of_nme)}


def shares(errors: Errors) -> Floats:
    """(M, 1 + G): for each of `PAIRED`, the mean of its values and what each subject adds; NaN where it has none."""
    return np.stack([errors.bootstrap.shares(METRICS[name].values(errors)) for name in PAIRED])
