"""A contact sheet of faces with their keypoints."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.keypoints import FACE15, KeypointLayout

COLOURS = {
    "jaw": (255, 255, 0),
    "eyes": (0, 220, 0),
    "brows": (255, 160, 0),
    "nose": (0, 0, 255),
    "mouth": (0, 220, 255),
}
"""Blue, green, red, as OpenCV writes them; other groups are white."""


def sheet(
    images: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    layout: KeypointLayout = FACE15,
    *,
    columns: int = 4,
    zoom: int = 2,
) -> NDArray[np.uint8]:
    """A page uint8 (height, width, 3), blue first: images (N, H, W) with keypoints (N, K, 2) coloured by group."""
    count, height, width = images.shape
    radius = zoom * (9 if len(layout) < 30 else 6)  # in sixteenths of a pixel
    rows = -(-count // columns)
    page = np.zeros((rows * height * zoom, columns * width * zoom, 3), np.uint8)
    for index, (image, points) in enumerate(zip(images, keypoints, strict=True)):
        large = cv2.resize(image, (width * zoom, height * zoom), interpolation=cv2.INTER_CUBIC)
        tile = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
        for group in layout.groups:
            for x, y in points[list(layout.indices(group))]:
                if np.isfinite([x, y]).all():
                    place = (round(float((x + 0.5) * zoom - 0.5) * 16), round(float((y + 0.5) * zoom - 0.5) * 16))
                    cv2.circle(tile, place, radius, COLOURS.get(group, (255, 255, 255)), -1, cv2.LINE_AA, 4)
        top, left = index // columns * height * zoom, index % columns * width * zoom
        page[top : top + height * zoom, left : left + width * zoom] = tile
    return page
