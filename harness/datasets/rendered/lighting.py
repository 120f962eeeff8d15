"""Lighting: a lamp, the sky, and the shadows that the head casts on itself."""

from __future__ import annotations

import cv2
import numpy as np

from harness.datasets.rendered.appearance import Surface
from harness.datasets.rendered.chart import (
    COLUMNS_PER_RADIAN,
    COSINE,
    HEIGHTS,
    ROWS_PER_LENGTH,
    SHAPE,
    SINE,
    column,
    row,
)
from harness.datasets.rendered.raster import Field, Points, blur, resize, sample
from harness.datasets.rendered.stream import Stream


def illuminate(surface: Surface, rotation: Points, stream: Stream) -> Field:
    """Brightness (ROWS, COLUMNS) of a head turned by ``rotation`` under a lamp drawn at random."""
    azimuth, elevation = stream.bell(0.0, 0.5), stream.bell(0.6, 0.35)
    level = np.cos(elevation)
    lamp = np.array([level * np.sin(azimuth), -np.sin(elevation), level * np.cos(azimuth)]) @ rotation
    ambient, wrap = stream.uniform(0.25, 0.75), stream.uniform(0.0, 0.4)
    normals = _normals(surface.radius)
    direct = np.maximum((_dot(normals, lamp) + wrap) / (1 + wrap), 0)
    direct *= 1 - stream.uniform(0.4, 1.0) * _shadow(surface.radius, lamp)
    hollow = np.asarray(cv2.blur(surface.radius, (17, 13)), np.float32) - surface.radius
    sky = ambient * (0.82 - 0.18 * _dot(normals, rotation[1])) * np.clip(1 - 2.5 * hollow, 0.4, 1)
    halfway = lamp + rotation[2]
    shine = np.maximum(_dot(normals, halfway / np.linalg.norm(halfway)), 0) ** 2
    shine = ((shine**2) ** 2) ** 2
    return np.asarray(surface.albedo * (sky + (1.15 - ambient) * direct) + surface.gloss * shine * direct)


def _dot(normals: tuple[Field, Field, Field], direction: Points) -> Field:
    x, y, z = direction.tolist()
    return np.asarray(normals[0] * x + normals[1] * y + normals[2] * z)


def _normals(radius: Field) -> tuple[Field, Field, Field]:
    """Outward unit normals (x, y, z): the cross product of the surface's two tangents."""
    turn = _slope(radius, 1, 0, COLUMNS_PER_RADIAN) / np.maximum(radius, 0.05)
    rise = _slope(radius, 0, 1, ROWS_PER_LENGTH)
    length = np.asarray(1 / np.sqrt(1 + turn * turn + rise * rise), np.float32)
    tangent = turn * length
    x, z = length * SINE - tangent * COSINE, length * COSINE + tangent * SINE
    return np.asarray(x, np.float32), np.asarray(-rise * length, np.float32), np.asarray(z, np.float32)


def _slope(radius: Field, across: int, down: int, per_length: float) -> Field:
    return np.asarray(cv2.Sobel(radius, cv2.CV_32F, across, down, scale=per_length / 8), np.float32)


def _shadow(radius: Field, lamp: Points) -> Field:
    """How far (0 to 1) something stands between each point and the lamp; at half the chart's resolution."""
    small = radius[::2, ::2].copy()
    x, y, z = small * SINE[:, ::2], HEIGHTS[::2, None], small * COSINE[:, ::2]
    lamp_x, lamp_y, lamp_z = lamp.tolist()
    dark = np.zeros_like(small)
    for way in (0.08, 0.18, 0.34, 0.6):
        distance, turn = cv2.cartToPolar(-z - lamp_z * way, -x - lamp_x * way)
        columns = column(turn - np.float32(np.pi)) / 2
        rows = np.repeat(row(y + lamp_y * way) / 2, small.shape[1], axis=1)
        dark = np.maximum(dark, (sample(small, columns, rows) - distance) / (0.25 * way + 0.03))
    return resize(blur(np.minimum(dark, 1), 1.2), SHAPE)
