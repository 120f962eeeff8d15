"""Black faces whose keypoints lie anywhere, for whatever looks at keypoints only."""

from __future__ import annotations

import numpy as np

from harness.datasets.faces import FaceSet
from harness.keypoints import FACE15


def faces(count: int = 40, subjects: int = 10) -> FaceSet:
    keypoints = np.random.default_rng(0).uniform(20, 70, size=(count, 15, 2)).astype(np.float32)
    return FaceSet(np.zeros((count, 96, 96), np.uint8), keypoints, np.arange(count, dtype=np.int64) % subjects, FACE15)
