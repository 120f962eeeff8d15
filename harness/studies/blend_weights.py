"""The weights of a blend: how much each member counts for each coordinate, fitted to predictions of labelled faces.

M members' predictions (M, N, K, 2) of N faces whose keypoints (N, K, 2) are all labelled give weights (M, K, 2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from harness.grading.scoring import pixel_distances

Floats = NDArray[np.float64]
Fit = Callable[[Floats, Floats], Floats]

_RIDGES = np.logspace(-1, 5, 13)
_ROUNDS = 30


def mean(predictions: Floats, keypoints: Floats) -> Floats:
    """The same weight for every member."""
    return np.full((len(predictions), *keypoints.shape[1:]), 1 / len(predictions))


def stack(predictions: Floats, keypoints: Floats) -> Floats:
    """A ridge regression for each coordinate that pulls the weights towards equal ones; they add up to 1.

    Stacked regressions (Breiman, 1996). The strength of the ridge is chosen by leave-one-out.
    """
    weights = mean(predictions, keypoints)
    centre = predictions.mean(axis=0)
    for keypoint, axis in np.ndindex(weights.shape[1:]):
        at = (..., keypoint, axis)
        ridge = RidgeCV(_RIDGES, fit_intercept=False)
        ridge.fit((predictions[at] - centre[at]).T, keypoints[at] - centre[at])
        weights[at] += ridge.coef_ - ridge.coef_.mean()
    return weights


def greedy(predictions: Floats, keypoints: Floats) -> Floats:
    """For each keypoint, repeatedly add the member that most reduces the mean distance; weights are how often each was.

    Forward selection with replacement (Caruana and others, "Ensemble selection from libraries of models", ICML 2004).
    """
    columns = np.arange(keypoints.shape[1])
    counts = np.zeros((len(predictions), len(columns)))
    total = np.zeros_like(keypoints)
    weights, least = counts, np.full(len(columns), np.inf)
    for taken in range(1, _ROUNDS + 1):
        errors = np.stack([pixel_distances((total + each) / taken, keypoints).mean(axis=0) for each in predictions])
        best = errors.argmin(axis=0)
        counts[best, columns] += 1
        total += predictions[best, :, columns].swapaxes(0, 1)
        weights = np.where(errors[best, columns] < least, counts / taken, weights)
        least = np.minimum(least, errors[best, columns])
    return np.repeat(weights[..., None], 2, axis=2)


METHODS: dict[str, Fit] = {"mean": mean, "stack": stack, "greedy": greedy}
"""The ways to fit weights, by name."""


def blended(weights: Floats, predictions: Floats) -> Floats:
    """The blend's predictions (N, K, 2)."""
    return np.asarray(np.einsum("mkc,mnkc->nkc", weights, predictions))


def cross_fitted_error(fit: Fit, predictions: Floats, keypoints: Floats, fold: NDArray[np.int64]) -> float:
    """Mean pixel error of the blend when the weights for each fold (N,) are fitted on the other folds."""
    points = np.empty_like(keypoints)
    for each in np.unique(fold):
        inside = fold == each
        weights = fit(predictions[:, ~inside], keypoints[~inside])
        points[inside] = blended(weights, predictions[:, inside])
    return float(pixel_distances(points, keypoints).mean())
