"""Labels: Kaggle's habits on top of exact keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.stream import Stream
from harness.keypoints import FACE15

ALWAYS = ("left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip")
"""What Kaggle's second label source marks."""


def kaggle_labels(
    seed: int, keypoints: NDArray[np.float32], fully_labelled: float = 2140 / 7049, lost: float = 0.002
) -> NDArray[np.float32]:
    """Keypoints (N, 15, 2) as Kaggle would have labelled them, NaN where missing.

    A share ``fully_labelled`` of the rows keeps all fifteen points, the others keep four; then each point that is
    left is lost with probability ``lost``. Row i depends on the seed and i alone. The default share is Kaggle's.
    """
    rest = [k for k, name in enumerate(FACE15.keypoints) if name not in ALWAYS]
    labelled = keypoints.astype(np.float32)
    for index, row in enumerate(labelled):
        stream = Stream(seed, index, "labels")
        if not stream.chance(fully_labelled):
            row[rest] = np.nan
        row[[stream.chance(lost) for _ in row]] = np.nan
    return labelled
