"""Imaging: what a camera, a video codec and an upscaled detector crop do to a picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.raster import Field, blur, resize
from harness.datasets.rendered.stream import Stream


def photograph(picture: Field, stream: Stream) -> NDArray[np.uint8]:
    """Expose, blur, add noise and compress a linear picture (H, W); the ranges follow those of news video."""
    grey = _blur(_expose(picture, stream), stream)
    grey += 6 * stream.uniform() ** 2 * stream.noise(*grey.shape)
    pixels = _eight_bits(grey)
    if stream.chance(0.8):
        quality = int(stream.uniform(25, 95))
        _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        pixels = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def develop(picture: Field, _: Stream) -> NDArray[np.uint8]:
    """The picture as it is, without a camera's faults."""
    return _eight_bits(255 * np.sqrt(np.maximum(picture, 0)))


def _eight_bits(grey: Field) -> NDArray[np.uint8]:
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _expose(picture: Field, stream: Stream) -> Field:
    """Grey values of a mean and contrast drawn at random; what leaves 0 to 255 is clipped."""
    tones = np.sqrt(np.maximum(picture, 0))
    contrast, level = max(16.0, stream.bell(46.5, 11.5)), min(max(stream.bell(100.0, 27.0), 30.0), 200.0)
    mean, deviation = float(tones.mean()), float(tones.std())
    gain = min(contrast / max(deviation, 0.04), 420.0)
    return np.clip((tones - mean) * gain + level, 0, 255)


def _blur(grey: Field, stream: Stream) -> Field:
    """Low resolution or defocus, at times motion and a television's edge enhancement."""
    height, width = grey.shape
    unit = min(height, width) / 96
    if stream.chance(0.5):
        scale = stream.uniform(0.35, 1.0)
        small = resize(grey, (max(8, round(height * scale)), max(8, round(width * scale))), cv2.INTER_AREA)
        grey = resize(small, (height, width), cv2.INTER_CUBIC)
    else:
        grey = blur(grey, unit * stream.uniform(0.2, 1.1))
    if stream.chance(0.1):
        length = 1 + 2 * int(stream.uniform(1, 3) * unit)
        streak = (length, 1) if stream.chance(0.6) else (1, length)
        grey = np.asarray(cv2.blur(grey, streak), np.float32)
    if stream.chance(0.35):
        grey = grey + stream.uniform(0.2, 1.2) * (grey - blur(grey, 1.2 * unit))
    return grey
