"""Mover: one image and its keypoints through an albumentations pipeline, left and right exchanged where it mirrors."""

from __future__ import annotations

import random
import warnings
from typing import Any

import albumentations
import numpy as np
from numpy.typing import NDArray

from harness.errors import ContractError
from harness.keypoints import KeypointLayout


class Mover:
    """Moves one image and its keypoints by a pipeline.

    Args:
        pipeline: an ``albumentations.Compose``, or a single transform, which the mover may change.
        layout: names the mirror pairs.
        image_size: (height, width) of the images in pixels.

    Attributes:
        pipeline: the given one, in a Compose with ``keypoint_params``.
    """

    def __init__(self, pipeline: Any, layout: KeypointLayout, image_size: tuple[int, int]) -> None:
        points = albumentations.KeypointParams(format="xy", remove_invisible=False, label_fields=["places"])
        with warnings.catch_warnings(action="ignore"):  # of a pipeline that edits grey levels and moves no point
            self.pipeline = albumentations.Compose([pipeline], keypoint_params=points)
        self._swap = list(layout.swap)
        height, width = image_size
        self._triangle = np.array(
            [[0.25 * width, 0.25 * height], [0.75 * width, 0.25 * height], [0.25 * width, 0.75 * height]],
            dtype=np.float32,
        )

    def seed(self, seed: int) -> None:
        """Draw all further random numbers from a seed."""
        # One state for all transforms: set_random_seed would give each a copy of its own, so that a flip and a change
        # of brightness would be drawn from the same numbers and always come together.
        self.pipeline.set_random_state(np.random.default_rng(seed), random.Random(seed))  # noqa: S311  # no secret

    def __call__(self, image: NDArray[np.uint8], keypoints: NDArray[np.float32]) -> tuple[Any, NDArray[np.float32]]:
        """What the pipeline makes of an image (H, W), and keypoints (K, 2); NaN where they are missing or were lost.

        Raises:
            ContractError: the pipeline failed.
        """
        # Albumentations refuses NaN, so only the known ones go in.
        known = np.flatnonzero(~np.isnan(keypoints).any(axis=1))
        before = np.concatenate([self._triangle, keypoints[known]])
        places = np.arange(len(before))  # labels that say which of them came back
        try:
            done = self.pipeline(image=image, keypoints=before, places=places)
        except Exception as error:
            few = f" with {len(known)} of {len(keypoints)} keypoints labelled" if len(known) < len(keypoints) else ""
            raise ContractError(
                f"the albumentations pipeline failed on a grey uint8 image of shape {image.shape}{few}: {error}"
            ) from error
        after, places = np.asarray(done["keypoints"], dtype=np.float32), np.asarray(done["places"], dtype=np.int64)
        points = np.full_like(keypoints, np.nan)
        is_keypoint = places >= len(self._triangle)
        points[known[places[is_keypoint] - len(self._triangle)]] = after[is_keypoint]
        return done["image"], points[self._swap] if _is_reversed(before[places], after) else points


def _is_reversed(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a move of points (P, 2) mirrors them: the sign of the determinant of the affine map nearest to it."""
    matrix = np.linalg.lstsq(np.column_stack([before, np.ones(len(before))]), after, rcond=None)[0]
    return bool(np.linalg.det(matrix[:2]) < 0)
