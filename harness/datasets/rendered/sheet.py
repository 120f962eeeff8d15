"""A contact sheet of faces with their keypoints."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.keypoints import FACE15

COLOURS = {"eyes": (0, 220, 0), "brows": (255, 160, 0), "nose": (0, 0, 255), "mouth": (0, 220, 255)}
"""Blue, green, red, as OpenCV writes them."""


def sheet(
    images: NDArray[np.uint8], keypoints: NDArray[np.float32], columns: int = 4, zoom: int = 2
) -> NDArray[np.uint8]:
    """A page uint8 (height, width, 3), blue first: images (N, H, W) with keypoints (N, 15, 2) coloured by group."""
    count, height, width = images.shape
    rows = -(-count // columns)
    page = np.zeros((rows * height * zoom, columns * width * zoom, 3), np.uint8)
    for index, (image, points) in enumerate(zip(images, keypoints, strict=True)):
        large = cv2.resize(image, (width * zoom, height * zoom), interpolation=cv2.INTER_CUBIC)
        tile = cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)
        for group, colour in COLOURS.items():
            for x, y in points[list(FACE15.indices(group))]:
                if np.isfinite([x, y]).all():
                    place = (round(float((x + 0.5) * zoom - 0.5) * 16), round(float((y + 0.5) * zoom - 0.5) * 16))
                    cv2.circle(tile, place, zoom * 9, colour, -1, cv2.LINE_AA, 4)
        top, left = index // columns * height * zoom, index % columns * width * zoom
        page[top : top + height * zoom, left : left + width * zoom] = tile
    return page
