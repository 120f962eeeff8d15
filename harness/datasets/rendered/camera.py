"""Camera: where the head is seen from, which crop a detector cuts, and which point of the head each pixel shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from harness.datasets.rendered.chart import column, row
from harness.datasets.rendered.markup import KAGGLE, Markup
from harness.datasets.rendered.raster import Field, Points, resize, sample
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream

_JAW = np.array([[0.0, 1.78], [1.12, 0.0], [-1.12, 0.0], [0.95, 1.1], [-0.95, 1.1]])
_NEAR = 2.6


@dataclass(frozen=True)
class Camera:
    """A distant camera: rotation, then scale, then shift.

    Attributes:
        rotation: float64 (3, 3), from the head's axes to the picture's (x right, y down, z to the viewer).
        focal: pixels per eye distance.
        centre: pixel (x, y) where the head's origin falls.
        size: height and width of the picture in pixels.
    """

    rotation: Points
    focal: float
    centre: tuple[float, float]
    size: tuple[int, int]

    @classmethod
    def draw(cls, stream: Stream, head: Head, size: tuple[int, int], markup: Markup = KAGGLE) -> Camera:
        """A pose, and a crop as a face detector cuts it: not quite around eyes, mouth and jaw.

        No keypoint lies outside the picture: a crop that would cut one off is moved to end a pixel beyond it.
        """
        yaw = stream.bell(0.0, 0.45) if stream.chance(0.25) else stream.bell(0.0, 0.25)
        rotation = rotate(min(max(yaw, -0.95), 0.95), stream.bell(-0.02, 0.17), stream.bell(0.0, 0.14))
        keypoints = markup.points(head, rotation)
        outline = np.concatenate([keypoints, head.on_surface(_JAW)])
        seen = outline @ rotation.T[:, :2]
        low, high = seen.min(axis=0), seen.max(axis=0)
        unit = min(size) / 96
        focal = unit * max(22.0, stream.bell(75.5, 5.0) / float((high - low).max()))
        middle_x, middle_y = ((low + high) / 2).tolist()
        aim_x = (size[1] - 1) / 2 + unit * stream.bell(0.0, 3.2)
        aim_y = (size[0] - 1) / 2 + unit * stream.bell(markup.drop, 2.3)
        centre = np.array([aim_x - focal * 0.75 * middle_x, aim_y - focal * middle_y])
        points = focal * seen[: len(keypoints)] + centre
        last = np.array([size[1] - 1, size[0] - 1])
        x, y = (centre + np.clip(0, unit - points.min(axis=0), last - unit - points.max(axis=0))).tolist()
        return cls(rotation, focal, (x, y), size)

    def project(self, points: Points) -> Points:
        """Pixels (N, 2) of points (N, 3) of the head."""
        return np.asarray(points @ self.rotation.T[:, :2] * self.focal + self.centre)

    def depth(self, points: Points) -> Points:
        """How near to the viewer (N,) points (N, 3) of the head are, in eye distances."""
        return np.asarray(points @ self.rotation[2])

    def zoom(self, factor: float) -> Camera:
        """The same view on ``factor`` times as many pixels a side."""
        half = (factor - 1) / 2
        height, width = (round(side * factor) for side in self.size)
        centre = (self.centre[0] * factor + half, self.centre[1] * factor + half)
        return Camera(self.rotation, self.focal * factor, centre, (height, width))

    def trace(self, radius: Field) -> tuple[Field, Field, Field]:
        """Where each pixel's line of sight meets the surface.

        Returns:
            columns and rows on the chart, float32 (H, W) each, and the depth (H, W), -inf where the line misses.
        """
        coarse = self.zoom(0.5)
        depth = coarse._march(radius, np.full(coarse.size, _NEAR, np.float32), 20)[2]
        start = cv2.dilate(depth, np.ones((3, 3), np.uint8))
        start = np.minimum(resize(np.asarray(start, np.float32), self.size) + 0.05, _NEAR)
        columns, rows, depth, gap = self._march(radius, start, 9)
        return columns, rows, np.where(gap < 0.08, depth, -np.inf)

    def _march(self, radius: Field, depth: Field, steps: int) -> tuple[Field, Field, Field, Field]:
        """Go down every line of sight by a share of the distance to the surface at a time.

        Sphere tracing (Hart 1996) of distance from the axis minus radius. The share is below 1 because, where the
        surface is steep, that difference may change faster than the position does. Until the last steps each step has a
        least length, so that a line of sight gets past an edge which it almost touches.
        """
        height, width = self.size
        x = (np.arange(width, dtype=np.float32) - self.centre[0]) / self.focal
        y = (np.arange(height, dtype=np.float32)[:, None] - self.centre[1]) / self.focal
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = self.rotation.tolist()
        across, down, deep = ax * x + bx * y, ay * x + by * y, az * x + bz * y
        for step in range(steps):
            distance, turn = cv2.cartToPolar(-deep - cz * depth, -across - cx * depth)
            columns, rows = column(turn - np.float32(np.pi)), row(down + cy * depth)
            gap = distance - sample(radius, columns, rows)
            way = 0.6 * gap
            if step < steps - 3:
                way = np.where(gap > 0, np.maximum(way, 0.03), way)
            depth = depth - way
        return columns, rows, depth, gap


def rotate(yaw: float, pitch: float, roll: float) -> Points:
    """Rotation (3, 3) by yaw (about y, positive to the picture's right), then pitch (positive nods), then roll."""
    (sy, sp, sr), (cy, cp, cr) = np.sin([yaw, pitch, roll]), np.cos([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y)
