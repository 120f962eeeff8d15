"""Scores of predictions against an answer key, each with its uncertainty.

Only a missing label is left out. Predictions have to be finite, so a submission cannot choose what it is scored on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.datasets.faces import FaceSet
from harness.estimates import Bootstrap, Estimate, Floats
from harness.keypoints import KeypointLayout
from harness.metrics import Errors, measure, shares


@dataclass(frozen=True)
class StratumScore:
    """The scores of one stratum of the held-out faces.

    Attributes:
        images, points, subjects: how many images, labelled keypoints and subjects were scored.
        metrics: name -> estimate, those of `harness.metrics` that can be computed.
        groups, keypoints: mean pixel error of each group and of each keypoint that is labelled at all.
        shares: (M, 1 + G), what each subject adds to each of `harness.metrics.PAIRED`; for paired comparisons. Whoever
            sees many of them can learn the answers from them.
    """

    images: int
    points: int
    subjects: int
    metrics: Mapping[str, Estimate]
    groups: Mapping[str, Estimate]
    keypoints: Mapping[str, Estimate]
    shares: Floats


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
        difference: below 0 where the second has the smaller error. Both are resampled with the same subjects, so that
            faces that are hard for both do not widen the interval.
        groups: the same of each group that is labelled at all.
    """

    difference: Estimate
    groups: Mapping[str, Estimate]


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
    bootstrap = Bootstrap(faces.subjects)
    return Comparison(bootstrap.mean(after - before), _by_group(bootstrap, after - before, faces.layout))


def gap_between(
    predictions: NDArray[np.float32], faces: FaceSet, others_predictions: NDArray[np.float32], others: FaceSet
) -> Estimate:
    """Mean pixel error on some faces (N) less that on others (M) of other subjects."""
    first, second = (
        pixel_distances(points, each.keypoints) for points, each in ((predictions, faces), (others_predictions, others))
    )
    return Bootstrap(faces.subjects).difference(first, Bootstrap(others.subjects), second)


def pixel_distances(predictions: NDArray[np.floating], keypoints: NDArray[np.floating]) -> Floats:
    """Euclidean distance in pixels of each point, float64 (N, K); NaN where the label is missing."""
    return np.asarray(np.linalg.norm(predictions.astype(np.float64) - keypoints, axis=2))


def _score(predictions: NDArray[np.float32], faces: FaceSet) -> StratumScore:
    distances = pixel_distances(predictions, faces.keypoints)
    bootstrap = Bootstrap(faces.subjects)
    labelled = faces.labelled
    errors = Errors(distances, _nme(distances, faces), bootstrap)
    return StratumScore(
        images=len(faces),
        points=int(labelled.sum()),
        subjects=len(np.unique(faces.subjects)),
        metrics=measure(errors),
        groups=_by_group(bootstrap, distances, faces.layout),
        keypoints={
            name: bootstrap.mean(distances[:, [k]])
            for k, name in enumerate(faces.layout.keypoints)
            if labelled[:, k].any()
        },
        shares=shares(errors),
    )


def _by_group(bootstrap: Bootstrap, values: Floats, layout: KeypointLayout) -> dict[str, Estimate]:
    """The mean of values (N, K), NaN where the label is missing, over each group that is labelled at all."""
    parts = {group: values[:, layout.indices(group)] for group in layout.groups}
    return {group: bootstrap.mean(part) for group, part in parts.items() if not np.isnan(part).all()}


def _nme(distances: Floats, faces: FaceSet) -> Floats:
    """Each image's mean distance over its unit (N,); NaN where that is not known, as without an eye corner's label."""
    unit = _unit(faces)
    known = faces.labelled.any(axis=1) & (unit > 0)
    nme = np.full(len(faces), np.nan)
    nme[known] = np.nanmean(distances[known], axis=1) / unit[known]
    return nme


def _unit(faces: FaceSet) -> Floats:
    """What each image's nme divides by, in pixels (N,); NaN where it is not known."""
    points, by = faces.keypoints.astype(np.float64), faces.layout.nme_by
    if by is None:
        return np.full(len(faces), np.nan)
    if by == "image":
        return np.full(len(faces), np.sqrt(faces.images[0].size))
    if by == "box":
        with np.errstate(invalid="ignore"):
            sides = np.fmax.reduce(points, axis=1) - np.fmin.reduce(points, axis=1)
        return np.asarray(np.sqrt(sides.prod(axis=1)))
    first, second = (points[:, faces.layout.index(name)] for name in by)
    return np.asarray(np.linalg.norm(first - second, axis=1))
