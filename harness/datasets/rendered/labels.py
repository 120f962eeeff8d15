"""Labels: Kaggle's habits on top of exact keypoints."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.markup import markup_of
from harness.datasets.rendered.stream import Stream
from harness.keypoints import FACE15, KeypointLayout


def kaggle_labels(
    seed: int,
    keypoints: NDArray[np.float32],
    fully_labelled: float = 2140 / 7049,
    lost: float = 0.002,
    layout: KeypointLayout = FACE15,
) -> NDArray[np.float32]:
    """Keypoints (N, K, 2) as Kaggle would have labelled them, NaN where missing.

    A share ``fully_labelled`` of the rows keeps all keypoints, the others keep the few that both of Kaggle's
    sources would mark (`Markup.always`); then each point that is
    left is lost with probability ``lost``. Row i depends on the seed and i alone. The default share is Kaggle's.
    """
    rest = [k for k, name in enumerate(layout.keypoints) if name not in markup_of(layout).always]
    labelled = keypoints.astype(np.float32)
    for index, row in enumerate(labelled):
        stream = Stream(seed, index, "labels")
        if not stream.chance(fully_labelled):
            row[rest] = np.nan
        row[[stream.chance(lost) for _ in row]] = np.nan
    return labelled
