"""Two sources of labels: rows with every keypoint and rows with a few may have been labelled in different ways.

A keypoint of one name then lies at different places in the two, and a network with one output for it learns a place in
between. With outputs of their own, both sources train the same layers, and neither shifts the other's points.
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
        nme_by=layout.nme_by,
    )


def by_source(keypoints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Keypoints (N, K, 2), NaN where missing, as (N, 2K, 2): a row's own source is labelled, the other missing.

    A row counts as partial if it lacks more than half of its keypoints, since complete rows may lack a few, too.
    """
    missing = np.isnan(keypoints).any(axis=2)
    partial = (missing.mean(axis=1) > 0.5)[:, None, None]
    nothing = np.float32(np.nan)
    return np.concatenate([np.where(partial, nothing, keypoints), np.where(partial, keypoints, nothing)], axis=1)
