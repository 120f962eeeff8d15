"""Small pictures whose mirror images are pictures of the same kind: a dot for each keypoint, alike left and right."""

from __future__ import annotations

import numpy as np

from harness.keypoints import FACE15

SIDE = 40
_FROM_MIDDLE = {
    **{"eye_center": (6, -4), "eye_inner_corner": (3, -4), "eye_outer_corner": (9, -4)},
    **{"eyebrow_inner_end": (3, -9), "eyebrow_outer_end": (10, -8), "corner": (5, 8)},
    **{"nose_tip": (0, 2), "mouth_center_top_lip": (0, 6), "mouth_center_bottom_lip": (0, 11)},
}
"""Of a keypoint, or of the left one of a pair, which lies at the right of the picture: pixels right and down."""


def draw_mirrored(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (N, SIDE, SIDE) and float32 (N, 15, 2): the mean shape, moved, turned and made larger or smaller."""
    rng = np.random.default_rng(seed)
    shape = np.array([_place(name) for name in FACE15.keypoints])
    kind = np.array([list(_FROM_MIDDLE).index(_part(name)) for name in FACE15.keypoints])
    angles, sizes = rng.uniform(-0.2, 0.2, count), rng.uniform(0.85, 1.15, count)
    turns = np.stack([np.cos(angles), -np.sin(angles), np.sin(angles), np.cos(angles)], axis=1).reshape(-1, 2, 2)
    moves = rng.uniform(-3, 3, size=(count, 1, 2)) + (SIDE - 1) / 2
    keypoints = (shape @ turns.transpose(0, 2, 1)) * sizes[:, None, None] + moves
    ys, xs = np.mgrid[:SIDE, :SIDE]
    distances = (xs - keypoints[..., 0, None, None]) ** 2 + (ys - keypoints[..., 1, None, None]) ** 2
    bright = (1 - kind / 12)[:, None, None]
    images = 20 + 200 * (bright * np.exp(-distances / (1 + kind[:, None, None] / 3))).max(axis=1)
    noise = rng.uniform(0, 15, size=images.shape)
    return (images + noise).astype(np.uint8), keypoints.astype(np.float32)


def _part(name: str) -> str:
    without = name.removeprefix("left_").removeprefix("right_")
    return "corner" if "mouth_left" in name or "mouth_right" in name else without


def _place(name: str) -> tuple[float, float]:
    right, down = _FROM_MIDDLE[_part(name)]
    return (-right if "right" in name else right), down
