"""Cuts a face out of its picture, at the size and the shape that a card asks for, and moves its points along."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Crop:
    """An upright rectangle of a picture that becomes an image of (height, width) pixels; neither axis is stretched.

    Attributes:
        centre: x, y in pixels of the picture, whose centres are whole numbers.
        scale: pixels of the picture in one of the image.
        size: (height, width) of the image.
    """

    centre: tuple[float, float]
    scale: float
    size: tuple[int, int]

    @classmethod
    def around(cls, box: Box, margin: float, size: tuple[int, int]) -> Crop:
        """The least that holds a box (left, top, right, bottom) and around it a margin, a share of its longer side."""
        left, top, right, bottom = box
        more = 2 * margin * max(right - left, bottom - top)
        scale = max((right - left + more) / size[1], (bottom - top + more) / size[0])
        return cls(((left + right) / 2, (top + bottom) / 2), scale, size)

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (K, 2) of the picture as points of the image."""
        height, width = self.size
        return np.asarray((points - self.centre) / self.scale + ((width - 1) / 2, (height - 1) / 2))

    def image(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels (height, width); beyond the picture's edge its last pixels go on.

        Each is the mean of what it covers where the picture is finer, and interpolated where it is coarser.
        """
        height, width = self.size
        if self.scale == 1 and picture.shape == self.size and self.centre == ((width - 1) / 2, (height - 1) / 2):
            return picture.copy()
        shrink = max(1, int(self.scale))
        # Only what is needed is shrunk: the rest of a large photograph would take most of the time.
        left, right = self._span(0, picture.shape[1], 2 * shrink)
        top, bottom = self._span(1, picture.shape[0], 2 * shrink)
        part = small = picture[top:bottom, left:right]
        if shrink > 1:
            to = (max(1, part.shape[1] // shrink), max(1, part.shape[0] // shrink))
            small = np.asarray(cv2.resize(part, to, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        # From pixels of the image to those of the picture, and on to those of what was shrunk.
        ratio = np.array([small.shape[1] / part.shape[1], small.shape[0] / part.shape[0]])
        corner = np.array(self.centre) - self.scale * np.array([(width - 1) / 2, (height - 1) / 2])
        offset = (corner - (left, top) + 0.5) * ratio - 0.5
        back = np.array([[self.scale * ratio[0], 0, offset[0]], [0, self.scale * ratio[1], offset[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpAffine(small, back, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8
        )

    def _span(self, axis: int, end: int, more: int) -> tuple[int, int]:
        """Where the part of the picture that matters begins and ends; it has a pixel at least."""
        half = self.scale * self.size[1 - axis] / 2
        first = int(np.clip(np.floor(self.centre[axis] - half) - more, 0, end - 1))
        return first, int(np.clip(np.ceil(self.centre[axis] + half) + 1 + more, first + 1, end))
