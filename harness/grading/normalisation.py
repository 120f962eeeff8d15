"""Which scale predictions are on, found by fitting: a factor and an offset for each axis that make pixels of them.

The fit is by least absolute residuals, so that some bad predictions do not bend it. Of the scales that have a name, the
one with the smallest error is reported where it does about as well as the free fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.grading.scoring import pixel_distances

Floats = NDArray[np.floating]

_IMAGE_SIDES = (28, 32, 48, 64, 80, 96, 100, 112, 128, 160, 192, 200, 224, 227, 240, 256, 299, 320, 384, 448, 480, 512)
_FEWEST = 20
"""Labelled points below which a fit could be chance."""
_AS_GOOD, _EQUAL, _EXACT = 1.15, 1.005, 0.004
"""A named scale explains predictions if its error is at most this many times the free fit's, plus so many pixels. Of
those that do equally well, the one that people use most is reported."""


@dataclass(frozen=True)
class Scale:
    """A scale of coordinates: pixels y are ``p * factor + offset``.

    Attributes:
        title: what the predictions p are, such as "(y - 48) / 48".
        inverse: how to write what makes pixels of them, such as "p * 48 + 48".
        factor, offset: one number for each axis (2,), or for each keypoint and axis (K, 2).
    """

    title: str
    inverse: str
    factor: Floats
    offset: Floats

    def to_pixels(self, points: Floats) -> Floats:
        """Points (N, K, 2) on this scale in pixels."""
        return points * self.factor + self.offset


def find_scale(predictions: Floats, keypoints: Floats, image_size: tuple[int, int]) -> Scale | None:
    """The scale that predictions (N, K, 2) are on, if it makes good pixels of them; None otherwise.

    Args:
        predictions: numbers of any size.
        keypoints: the truth in pixels (N, K, 2), NaN where missing.
        image_size: (height, width) in pixels.
    """
    known = np.where(np.isnan(keypoints), np.nan, predictions)
    if np.isfinite(keypoints).all(axis=2).sum() < _FEWEST:
        return None
    factor, offset = _fit(known.reshape(-1, 2), keypoints.reshape(-1, 2))
    error = mean_error(known * factor + offset, keypoints)
    # A network that has only begun to learn may have the right shape on a wrong scale; to find that out it has to do
    # better than the mean face. Numbers that are all small are on another scale if they place the parts of the face.
    small = np.nanmax(np.abs(known)) < 0.1 * max(image_size) and (factor > 0).all()
    middle = mean_error(np.nanmedian(keypoints, axis=(0, 1)), keypoints)
    if error < (0.5 * middle if small else 0.8 * mean_face_error(keypoints)):
        return _best_name(known, keypoints, factor, offset, image_size)
    return _each_by_itself(known, keypoints)


def mean_error(predictions: Floats, keypoints: Floats) -> float:
    """Mean distance in pixels over the labelled keypoints (N, K, 2)."""
    return float(np.nanmean(pixel_distances(np.asarray(predictions), keypoints)))


def mean_face_error(keypoints: Floats) -> float:
    """The error of the mean of keypoints (N, K, 2), predicted for every image."""
    labelled = ~np.isnan(keypoints)
    mean_face = np.where(labelled, keypoints, 0).sum(axis=0) / labelled.sum(axis=0).clip(min=1)
    return mean_error(mean_face, keypoints)


def _best_name(
    predictions: Floats, keypoints: Floats, factor: Floats, offset: Floats, image_size: tuple[int, int]
) -> Scale:
    def error(scale: Scale) -> float:
        return mean_error(scale.to_pixels(predictions), keypoints)

    fitted = Scale("numbers on another scale", _written(factor, offset), factor, offset)
    named = [(error(scale), scale) for scale in _named_scales(image_size)]
    least, limit = min(each for each, _ in named), _AS_GOOD * error(fitted) + _EXACT
    if least <= limit:
        return next(scale for each, scale in named if each <= _EQUAL * least + _EXACT / 2)
    if _standardises(keypoints, factor, offset):
        inverse = f"{fitted.inverse}, your targets' deviation and mean"
        return Scale("standardised coordinates", inverse, factor, offset)
    rounded = _scale(np.round(factor), np.round(offset))
    alike = np.ptp(rounded.factor) == np.ptp(rounded.offset) == 0
    return rounded if alike and error(rounded) <= limit else fitted


def _named_scales(image_size: tuple[int, int]) -> Iterator[Scale]:
    """Scales that people use, for images of (height, width) pixels; the usual ones first."""
    size, nothing = np.array(image_size[::-1], np.float64), np.zeros(2)
    for sides in (size, size - 1):
        yield _scale(sides, nothing)
        yield _scale(sides / 2, sides / 2)
        yield _scale(sides, sides / 2, "y / {0} - 0.5")
    for factor, offset in ((50, 100), (100, 0), (255, 0)):
        yield _scale(nothing + factor, nothing + offset)
    for side in _IMAGE_SIDES:
        title = f"coordinates of a {side}-pixel image"
        inverse = f"(p + 0.5) * {_text(size)} / {side} - 0.5"
        yield Scale(title, f"p * {_text(size)} / {side}", size / side, nothing)
        yield Scale(title, inverse, size / side, size / side / 2 - 0.5)
        yield Scale(title, f"p * {_text(size - 1)} / {side - 1}", (size - 1) / (side - 1), nothing)
    yield _scale(size, nothing - 0.5, "(y + 0.5) / {0}")
    yield _scale(size / 2, size / 2 - 0.5, "(y + 0.5) / {0} - 1")
    yield _scale(nothing + 1, size / 2, f"y - {_text(size / 2)}")
    yield _scale(np.array([-1.0, 1.0]), np.array([size[0] - 1, 0]), "pixels whose x counts from the right")
    yield _scale(np.array([1.0, -1.0]), np.array([0, size[1] - 1]), "pixels whose y counts from the bottom")


def _scale(factor: Floats, offset: Floats, title: str = "") -> Scale:
    """A scale that is called (y - offset) / factor, where it has no other name."""
    moved = f"(y - {_text(offset)})" if offset.any() else "y"
    return Scale((title or f"{moved} / {{0}}").format(_text(factor)), _written(factor, offset), factor, offset)


def _standardises(keypoints: Floats, factor: Floats, offset: Floats) -> bool:
    """Whether factor and offset are the standard deviation and the mean of coordinates, by axis or of all."""
    for axes in ((0, 1), (0, 1, 2)):
        mean, deviation = np.nanmean(keypoints, axis=axes), np.nanstd(keypoints, axis=axes)
        if (np.abs(factor / deviation - 1) < 0.1).all() and (np.abs(offset - mean) < 0.1 * deviation).all():
            return True
    return False


def _each_by_itself(predictions: Floats, keypoints: Floats) -> Scale | None:
    """Every coordinate of every keypoint on a scale of its own, as scikit-learn's scalers make them."""
    labelled = (~np.isnan(keypoints)).any(axis=0)
    here, there = (np.nanmean(each[:, labelled], axis=0) for each in (predictions, keypoints))
    if len(predictions) < 8 or here.std() > 0.1 * there.std():
        return None  # numbers that lie as far apart as the parts of a face are not on scales of their own
    factor, offset = _fit(predictions, keypoints)
    if mean_error(predictions * factor + offset, keypoints) > 0.5 * mean_face_error(keypoints):
        return None
    if np.abs(np.median(factor[labelled]) - 1) < 0.2:
        return Scale("differences from the mean face", "p + mean_face", factor, offset)
    inverse = "scaler.inverse_transform(p), or p * deviation + mean of each coordinate"
    return Scale("coordinates that were each scaled by itself", inverse, factor, offset)


def _fit(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Slope and intercept of y on x, along axis 0, with the least absolute residuals; NaN in either is left out.

    By reweighting: each round is a weighted least-squares fit whose weights are the inverse of the last residuals.
    """
    known = ~np.isnan(x) & ~np.isnan(y)
    x, y, weights = np.where(known, x, 0), np.where(known, y, 0), known.astype(np.float64)
    for _ in range(40):
        total = weights.sum(axis=0).clip(min=1e-12)
        middle_x, middle_y = (weights * x).sum(axis=0) / total, (weights * y).sum(axis=0) / total
        spread = (weights * (x - middle_x) ** 2).sum(axis=0)
        slope = (weights * (x - middle_x) * (y - middle_y)).sum(axis=0) / np.maximum(spread, 1e-12)
        intercept = middle_y - slope * middle_x
        weights = known / np.maximum(np.abs(y - slope * x - intercept), 1e-5)
    return slope, np.round(intercept, 5) + 0.0  # +0.0 makes -0.0 a 0.0


def _written(factor: Floats, offset: Floats) -> str:
    """``p * factor + offset`` as code."""
    parts = ["p"]
    if not (factor == 1).all():
        parts += ["*", _text(factor)]
    if offset.any():
        parts += ["-", _text(-offset)] if (offset <= 0).all() else ["+", _text(offset)]
    return " ".join(parts)


def _text(values: Floats) -> str:
    """One number where both axes have the same, otherwise a pair (x, y) to multiply with or add."""
    numbers = dict.fromkeys(f"{value:.6g}" for value in values)
    return next(iter(numbers)) if len(numbers) == 1 else f"({', '.join(f'{value:.6g}' for value in values)})"
