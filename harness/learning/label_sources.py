"""Two sources of labels: rows with every keypoint and rows with a few were marked by different hands.

The same name then means places that differ, and a network that is asked for one point learns a place between them.
Given outputs of its own, each source teaches what they share, and neither pulls at the other's points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.keypoints import KeypointLayout

_SUFFIX = "_partial"


def two_sources(layout: KeypointLayout) -> KeypointLayout:
    """A layout of 2K keypoints: those of complete rows first, then the same as partial rows mark them."""

    def marked(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(f"{name}{_SUFFIX}" for name in names)

    return KeypointLayout(
        name=f"{layout.name}{_SUFFIX}",
        keypoints=(*layout.keypoints, *marked(layout.keypoints)),
        mirror_pairs=(*layout.mirror_pairs, *((f"{a}{_SUFFIX}", f"{b}{_SUFFIX}") for a, b in layout.mirror_pairs)),
        groups={**layout.groups, **{f"{group}{_SUFFIX}": marked(names) for group, names in layout.groups.items()}},
        inter_ocular=layout.inter_ocular,
    )


def by_source(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keypoints (N, K, 2), NaN where missing, as (N, 2K, 2): a row's own source is labelled, the other missing.

    A row is partial when it lacks more than half of its keypoints; complete rows lose one here and there, too.
    """
    missing = np.isnan(keypoints).any(axis=2)
    partial = (missing.mean(axis=1) > 0.5)[:, None, None]
    nothing = np.float32(np.nan)
    return np.concatenate([np.where(partial, nothing, keypoints), np.where(partial, keypoints, nothing)], axis=1)
