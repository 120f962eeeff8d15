"""What a submission predicted, as one array of finite points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import PredictionError


def as_predictions(raw: Any, count: int, keypoints: int, place: str = "") -> NDArray[np.float32]:
    """What ``predict`` returned, as a float32 array (count, keypoints, 2) of pixels.

    An array (count, 2 * keypoints) holds x1, y1, x2, y2, ..., as Kaggle's columns do. Numbers of any kind are taken.

    Args:
        raw: what it returned.
        count: how many images it was given.
        keypoints: how many each has.
        place: the line that returned it, as messages begin with it.

    Raises:
        PredictionError: wrong type, shape or dtype; or a value that is not finite.
    """
    if hasattr(raw, "detach"):
        raw = raw.detach().cpu().numpy()
    try:
        array = np.asarray(raw)
    except ValueError as error:
        raise PredictionError(f"{place}predict() returned something that is not an array: {error}") from None
    if array.dtype.kind not in "fiu":
        raise PredictionError(
            f"{place}predict() returned values of type {array.dtype}; return an array of floats, pixels of the image"
        )
    wanted = (count, keypoints, 2)
    if array.shape == (count, 2 * keypoints):
        array = array.reshape(wanted)
    if array.shape != wanted:
        hint = "; reshape it with .reshape(-1, K, 2)" if array.size == count * keypoints * 2 else ""
        if array.shape == (count, 2, keypoints):
            hint = "; turn it with .transpose(0, 2, 1)"
        raise PredictionError(
            f"{place}predict() returned shape {array.shape}, wanted {wanted} for {count} images{hint}"
        )
    array = array.astype(np.float32)
    bad = ~np.isfinite(array).all(axis=2)
    if bad.any():
        image, keypoint = np.argwhere(bad)[0]
        raise PredictionError(
            f"{place}predict() returned NaN or Inf for {bad.sum()} of {bad.size} points, first for image {image}, "
            f"keypoint {keypoint}; every image needs a finite point for every keypoint"
        )
    return array
