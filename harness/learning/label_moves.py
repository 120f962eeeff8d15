"""How keypoints move in those of albumentations' transforms that do not move them as the picture.

Distortions round keypoints to whole pixels, put them a row too high and lose some. Whatever resizes scales them from
the middle of the corner pixel, although it scales the picture from the corner, half a pixel further out. Borders that
mirror the picture return each keypoint up to nine times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import albumentations
import cv2
import numpy as np
from albumentations.augmentations.geometric.distortion import BaseDistortion
from numpy.typing import NDArray

Rows = NDArray[np.floating]
"""Keypoints as albumentations keeps them: x, y, and more columns."""
Move = Callable[..., Rows]

_MIRRORS = (cv2.BORDER_REFLECT, cv2.BORDER_REFLECT_101)
_RESIZES = (
    albumentations.Resize,
    albumentations.RandomSizedCrop,
    albumentations.RandomResizedCrop,
    albumentations.RandomSizedBBoxSafeCrop,
    albumentations.CropAndPad,
)


def correct(transform: Any) -> bool:
    """Give a transform the right way to move keypoints, where it is known to have a wrong one; whether it was."""
    move = getattr(transform, "apply_to_keypoints", None)
    if isinstance(transform, BaseDistortion):
        move_by(transform, _by_the_map)
    elif isinstance(transform, albumentations.RandomScale):
        move_by(transform, _scaled(int))
    elif isinstance(transform, (albumentations.LongestMaxSize, albumentations.SmallestMaxSize)):
        move_by(transform, _scaled(round))
    elif isinstance(transform, _RESIZES):
        move_by(transform, _from_the_corner(transform.apply_to_keypoints))
    elif move is not None and getattr(transform, "border_mode", None) in _MIRRORS:
        move_by(transform, _without_copies(transform, move))
    else:
        return False
    return True


def move_back(transform: Any, offset: NDArray[np.float64]) -> None:
    """Take a constant offset (2,) in pixels from all keypoints that a transform returns."""
    move = transform._key2func.get("keypoints", lambda rows, **_: rows)

    def moved_back(rows: Rows, **params: Any) -> Rows:
        return _shifted(move(rows, **params), -offset)

    move_by(transform, moved_back)


def move_by(transform: Any, move: Move) -> None:
    """Make a transform move keypoints by a function."""
    transform._key2func["keypoints"] = move  # where albumentations looks it up, also for transforms of images alone


def _by_the_map(rows: Rows, map_x: Rows, map_y: Rows, **_: Any) -> Rows:
    """Where a distortion draws the keypoints: it fills pixel q with what it finds at map(q), so map(q) has to be one.

    From the pixel where that is nearest, a straight line leads to the place between pixels. A keypoint that is drawn
    nowhere is lost.
    """
    if not len(rows):
        return rows
    points = rows[:, :2].astype(np.float32)
    squares = (map_x.ravel() - points[:, :1]) ** 2 + (map_y.ravel() - points[:, 1:]) ** 2
    ys, xs = np.unravel_index(squares.argmin(axis=1), map_x.shape)
    sources = np.stack([map_x, map_y], axis=2).astype(np.float64)
    slopes = np.stack([np.gradient(sources, axis=axis)[ys, xs] for axis in (1, 0)], axis=2)
    shown = np.abs(np.linalg.det(slopes)) > 0.05
    steps = np.linalg.solve(slopes[shown], (rows[:, :2] - sources[ys, xs])[shown, :, None])[..., 0]
    moved = np.array(rows[shown], np.float64)
    moved[:, :2] = np.column_stack([xs, ys])[shown] + steps
    return moved


def _from_the_corner(move: Move) -> Move:
    """A move that scales from the corner of the picture, where a pixel's centre lies at a half."""

    def moved(rows: Rows, **params: Any) -> Rows:
        return _shifted(move(_shifted(rows, 0.5), **params), -0.5)

    return moved


def _scaled(rounded: Callable[[float], int]) -> Move:
    """A move that scales by what a scale comes to when the new size is rounded to whole pixels."""

    def moved(rows: Rows, scale: float, shape: tuple[int, ...], **_: Any) -> Rows:
        rows = _shifted(rows, 0.5)
        rows[:, :2] *= [max(1, rounded(side * scale)) / side for side in shape[1::-1]]
        return _shifted(rows, -0.5)

    return moved


def _without_copies(transform: Any, move: Move) -> Move:
    """A move as if the border were of one grey level, which copies no keypoints."""

    def moved(rows: Rows, **params: Any) -> Rows:
        border, transform.border_mode = transform.border_mode, cv2.BORDER_CONSTANT
        try:
            return move(rows, **params)
        finally:
            transform.border_mode = border

    return moved


def _shifted(rows: Rows, offset: float | NDArray[np.float64]) -> Rows:
    rows = np.array(rows, np.float64)
    rows[:, :2] += offset
    return rows
