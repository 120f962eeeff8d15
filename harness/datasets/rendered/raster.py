"""Raster: the few operations on pictures that the other modules share, in float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Points = NDArray[np.float64]

TURN = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
DISC: Points = np.stack([np.cos(TURN), np.sin(TURN)], axis=1)
"""The unit circle as an outline (24, 2)."""


def fixed(points: Points) -> NDArray[np.int32]:
    """Points as OpenCV draws them at a sixteenth of a pixel (its ``shift`` of 4)."""
    return np.rint(points * 16).astype(np.int32)


def coverage(shape: Sequence[int], outlines: Points) -> Field:
    """How much (0 to 1) of each pixel of a picture lies inside one outline (N, 2) or several (M, N, 2)."""
    mask = np.zeros(tuple(shape), np.uint8)
    cv2.fillPoly(mask, list(fixed(outlines).reshape(-1, *outlines.shape[-2:])), 255, cv2.LINE_AA, 4)
    return mask * np.float32(1 / 255)


def blur(picture: Field, sigma: float) -> Field:
    """Gaussian blur; sigma in pixels."""
    return cast(Field, cv2.GaussianBlur(picture, (0, 0), sigma))


def resize(picture: Field, shape: tuple[int, int], interpolation: int = cv2.INTER_LINEAR) -> Field:
    """The picture at another height and width."""
    return cast(Field, cv2.resize(picture, shape[::-1], interpolation=interpolation))


def sample(picture: Field, columns: Field, rows: Field) -> Field:
    """The picture's values at places between its pixels; outside, those of its edge."""
    return cast(Field, cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def ease(x: NDArray[np.floating]) -> NDArray[np.floating]:
    """A smooth step from 0 at x = 0 to 1 at x = 1."""
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
