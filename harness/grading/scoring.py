"""Scores of predictions against an answer key, each with its uncertainty.

Only a missing label masks: a prediction has to be finite, so a submission cannot choose what it is scored on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.keypoints import KeypointLayout

Floats = NDArray[np.float64]

FAILURE_THRESHOLD = 0.1
"""Images with a larger nme count as failures; WFLW's convention (Wu et al., CVPR 2018)."""

_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class Metric:
    """A value and its 95 % interval (percentiles of a bootstrap over subjects)."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval of a difference lies wholly on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class StratumScore:
    """The scores of one stratum of the held-out faces.

    Attributes:
        images, points, subjects: how many images, labelled keypoints and subjects were scored.
        metrics: name -> `Metric`. In pixels: ``mean_pixel_error`` (mean Euclidean distance over every labelled
            keypoint), ``rmse`` (root of the mean squared coordinate error, Kaggle's measure), ``median`` and
            ``percentile_95`` of the distances. Of the nme, the image's mean distance over its inter-ocular distance:
            ``nme`` (its mean), ``failure_rate`` (share above 0.1) and ``auc`` (area under its cumulative error
            distribution up to 0.1, between 0 and 1); these three are absent where no image has both eye corners.
        groups, keypoints: mean pixel error of each group and of each keypoint that is labelled at all.
    """

    images: int
    points: int
    subjects: int
    metrics: Mapping[str, Metric]
    groups: Mapping[str, Metric]
    keypoints: Mapping[str, Metric]


@dataclass(frozen=True)
class Scorecard:
    """The score of each stratum; the first one is the headline, which ranks and bands."""

    strata: Mapping[str, StratumScore]

    @property
    def headline(self) -> StratumScore:
        """The stratum that ranks."""
        return next(iter(self.strata.values()))


@dataclass(frozen=True)
class Comparison:
    """How two predictions of the same faces differ in mean pixel error: the second's less the first's.

    Attributes:
        difference: below 0 where the second errs less. The interval is of the difference itself: both are resampled
            with the same subjects, so that what makes a face hard for both does not widen it.
        groups: the same of each group that is labelled at all.
    """

    difference: Metric
    groups: Mapping[str, Metric]


def score(predictions: NDArray[np.float32], held_out: FaceSet, strata: Mapping[str, NDArray[np.bool_]]) -> Scorecard:
    """Score predictions (N, K, 2) in pixels, finite, against the keypoints of the held-out faces.

    Args:
        predictions: one point per keypoint and image.
        held_out: the N faces with their answer key.
        strata: name -> bool (N,); each is scored by itself.
    """
    assert predictions.shape == held_out.keypoints.shape, (predictions.shape, held_out.keypoints.shape)
    assert np.isfinite(predictions).all(), "predictions are checked before they are scored"
    return Scorecard({name: _score(predictions[rows], held_out.take(rows)) for name, rows in strata.items()})


def compare(
    first: NDArray[np.float32], second: NDArray[np.float32], held_out: FaceSet, rows: NDArray[np.bool_]
) -> Comparison:
    """Compare two predictions (N, K, 2) of the same faces, in pixels and finite, by a paired bootstrap over subjects.

    Args:
        first, second: one point per keypoint and image.
        held_out: the N faces with their answer key.
        rows: bool (N,), which faces to compare on: a stratum.
    """
    faces = held_out.take(rows)
    before, after = (pixel_distances(each[rows], faces.keypoints) for each in (first, second))
    bootstrap = _Bootstrap(faces.subjects)
    return Comparison(bootstrap.mean(after - before), _by_group(bootstrap, after - before, faces.layout))


def pixel_distances(predictions: NDArray[np.floating], keypoints: NDArray[np.floating]) -> Floats:
    """Euclidean distance in pixels of each point, float64 (N, K); NaN where the label is missing."""
    return np.asarray(np.linalg.norm(predictions.astype(np.float64) - keypoints, axis=2))


def _score(predictions: NDArray[np.float32], faces: FaceSet) -> StratumScore:
    distances = pixel_distances(predictions, faces.keypoints)
    bootstrap = _Bootstrap(faces.subjects)
    metrics = {
        "mean_pixel_error": bootstrap.mean(distances),
        # The squared distance is the sum of two squared coordinate errors, hence the half.
        "rmse": bootstrap.mean(distances**2 / 2, np.sqrt),
        "median": bootstrap.quantile(distances, 0.5),
        "percentile_95": bootstrap.quantile(distances, 0.95),
    }
    nme = _nme(distances, faces)
    if not np.isnan(nme).all():
        failed = np.where(np.isnan(nme), np.nan, nme > FAILURE_THRESHOLD)
        metrics["nme"] = bootstrap.mean(nme)
        metrics["failure_rate"] = bootstrap.mean(failed)
        # An image adds to the cumulative curve from its nme on, so the area is the mean of what is left to its right.
        metrics["auc"] = bootstrap.mean(np.clip(1 - nme / FAILURE_THRESHOLD, 0, None))
    labelled = faces.labelled
    return StratumScore(
        images=len(faces),
        points=int(labelled.sum()),
        subjects=len(np.unique(faces.subjects)),
        metrics=metrics,
        groups=_by_group(bootstrap, distances, faces.layout),
        keypoints={
            name: bootstrap.mean(distances[:, [k]])
            for k, name in enumerate(faces.layout.keypoints)
            if labelled[:, k].any()
        },
    )


def _by_group(bootstrap: _Bootstrap, values: Floats, layout: KeypointLayout) -> dict[str, Metric]:
    """The mean of values (N, K), NaN where the label is missing, over each group that is labelled at all."""
    parts = {group: values[:, layout.indices(group)] for group in layout.groups}
    return {group: bootstrap.mean(part) for group, part in parts.items() if not np.isnan(part).all()}


def _nme(distances: Floats, faces: FaceSet) -> Floats:
    """Each image's mean distance over its inter-ocular distance (N,); NaN where an eye corner is not labelled."""
    left, right = (faces.keypoints[:, faces.layout.index(name)] for name in faces.layout.inter_ocular)
    inter_ocular = np.linalg.norm(left.astype(np.float64) - right, axis=1)
    known = ~np.isnan(inter_ocular) & (inter_ocular > 0)
    nme = np.full(len(faces), np.nan)
    nme[known] = np.nanmean(distances[known], axis=1) / inter_ocular[known]
    return nme


class _Bootstrap:
    """Percentile bootstrap that draws whole subjects, since images of one person err together.

    Where only one subject is known, images are drawn instead. Missing values are NaN.
    """

    def __init__(self, subjects: NDArray[np.int64]) -> None:
        units = subjects if len(np.unique(subjects)) > 1 else np.arange(len(subjects))
        names, self._unit = np.unique(units, return_inverse=True)
        self._units = len(names)
        rng = np.random.default_rng(0)
        self._draws = rng.multinomial(self._units, np.full(self._units, 1 / self._units), size=_RESAMPLES)

    def mean(self, values: Floats, then: Callable[[Floats], Floats] = np.asarray) -> Metric:
        """The mean over all elements of values (N,) or (N, ...), passed through ``then``."""
        rows = values.reshape(len(values), -1)
        sums = np.bincount(self._unit, np.nansum(rows, axis=1), self._units)
        counts = np.bincount(self._unit, (~np.isnan(rows)).sum(axis=1), self._units)
        drawn = self._draws @ counts
        # A keypoint labelled in few subjects may be missing from a draw.
        resampled = (self._draws @ sums)[drawn > 0] / drawn[drawn > 0]
        return _metric(then(sums.sum() / counts.sum()), then(resampled))

    def quantile(self, values: Floats, q: float) -> Metric:
        """A quantile over all elements of values (N, K)."""
        rows, columns = np.nonzero(~np.isnan(values))
        flat = values[rows, columns]
        order = np.argsort(flat)
        ordered, unit = flat[order], self._unit[rows[order]]

        def weighted(draw: NDArray[np.int64]) -> float:
            cumulative = np.cumsum(draw[unit])
            return float(ordered[min(np.searchsorted(cumulative, q * cumulative[-1]), len(ordered) - 1)])

        return _metric(np.quantile(flat, q), np.array([weighted(draw) for draw in self._draws]))


def _metric(value: float | Floats, resampled: Floats) -> Metric:
    low, high = np.quantile(resampled, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Metric(float(value), float(low), float(high))
