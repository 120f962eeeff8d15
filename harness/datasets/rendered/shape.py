"""Shape: the head's surface, its distance from the axis over the chart, and the keypoints upon it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.datasets.rendered.chart import ANGLES, BOTTOM, COSINE, HEIGHTS, SINE, TOP, column, row, window
from harness.datasets.rendered.features import SIDES, Features
from harness.datasets.rendered.raster import Field, Points, blur, ease


@dataclass(frozen=True)
class Head:
    """A bald head of one colour in three dimensions."""

    features: Features

    @cached_property
    def half_axes(self) -> tuple[Points, Points]:
        """Half width and front half depth of the bare skull at every row of the chart, each (ROWS,)."""
        p, chin = self.features.proportions, self.features.chin
        rows = [TOP, -2.0, -1.85, -1.6, -1.2, -0.7, -0.25, 0.05, 0.5, 1.0, 1.4 + chin - p.chin, chin, BOTTOM]
        wide = [0.0, 0.0, 0.45, 0.78, 1.02, 1.01, 1.01, 1.0, 0.97, 0.88 * p.jaw, 0.75 * p.jaw, 0.52 * p.jaw, 0.4]
        deep = [0.0, 0.0, 0.42, 0.72, 0.95, 1.05, 1.05, 0.97, 0.97, 0.98, 0.97, 0.94, 0.8]
        profiles = np.stack([np.interp(HEIGHTS, rows, values) for values in (wide, deep)])
        kernel = np.array([1, 4, 9, 13, 15, 13, 9, 4, 1]) / 69
        smooth = [np.convolve(np.pad(profile, 4, mode="edge"), kernel, mode="valid") for profile in profiles]
        return smooth[0] * p.width, smooth[1] * p.depth

    @cached_property
    def radius(self) -> Field:
        """float32 (ROWS, COLUMNS): distance of the skin from the axis."""
        radius = self._skull()
        self._raise_features(radius)
        return blur(radius, 0.8)

    @cached_property
    def keypoints(self) -> Points:
        """The fifteen keypoints (15, 3) on the surface, hidden or not."""
        return self.on_surface(self.features.keypoints)

    def angles(self, frontal: Points) -> Points:
        """The angles (...) around the axis of frontal positions (..., 2) on the bare skull."""
        wide, deep = (np.interp(frontal[..., 1], HEIGHTS, axis) for axis in self.half_axes)
        sine = np.clip(frontal[..., 0] / wide, -0.99, 0.99)
        return np.asarray(np.arctan2(wide * sine, deep * np.sqrt(1.0 - sine**2)))

    def on_chart(self, frontal: Points) -> Points:
        """Chart positions (..., 2), column then row, of frontal positions (..., 2)."""
        return np.stack([column(self.angles(frontal)), row(frontal[..., 1])], axis=-1)

    def on_surface(self, frontal: Points) -> Points:
        """Positions (N, 3) in space of frontal positions (N, 2)."""
        return self.at(self.angles(frontal), frontal[..., 1])

    def at(self, angle: Points, y: Points, above: Points | float = 0.0) -> Points:
        """Positions (..., 3) in space at angles (...) around the axis and heights (...), so far above the skin."""
        across, along = column(angle), row(y)
        left, top = across.astype(int), along.astype(int)
        right, low = across - left, along - top
        upper = self.radius[top, left] * (1 - right) + self.radius[top, left + 1] * right
        lower = self.radius[top + 1, left] * (1 - right) + self.radius[top + 1, left + 1] * right
        radius = upper * (1 - low) + lower * low + above
        return np.stack([radius * np.sin(angle), y, radius * np.cos(angle)], axis=-1)

    def jaw_line(self, angle: Points | Field) -> Points:
        """Heights (...) above which the jaw has turned under, at angles (...) around the axis."""
        p, chin = self.features.proportions, self.features.chin
        return np.asarray(chin - (p.chin - 1.45) * ease((np.abs(angle) - np.float32(0.25)) / np.float32(1.2)))

    def jaw_edge(self, angle: Points) -> Points:
        """Heights (...) at which the jaw's edge is seen at angles (...): there its underside meets the neck."""
        line, sine, cosine = self.jaw_line(angle), np.sin(angle), np.cos(angle)
        wide, deep = (np.interp(line - 0.1, HEIGHTS, axis) for axis in self.half_axes)
        share = self._neck(sine, cosine) * np.hypot(deep * sine, wide * cosine) / (wide * deep)
        return np.asarray(line - 0.33 + 0.38 * np.sqrt(1 - np.clip(share, 0.6, 0.85) ** 2))

    def _neck(self, sine: Points | Field, cosine: Points | Field) -> Points | Field:
        """The neck's distance from the axis at angles of this sine and cosine."""
        wide = self.features.proportions.neck
        return np.asarray(np.sqrt(np.maximum(wide**2 - (0.25 * sine) ** 2, 0)) - 0.25 * cosine)

    def _skull(self) -> Field:
        """Elliptic slices down to the jaw line, and a round neck further back."""
        wide, deep = (np.maximum(axis, 1e-3)[:, None].astype(np.float32) for axis in self.half_axes)
        deep = np.where(COSINE > 0, deep, deep * np.float32(1.15))
        skull = wide * deep / np.sqrt((deep * SINE) ** 2 + (wide * COSINE) ** 2)
        y = HEIGHTS[:, None]
        under = np.clip((y - self.jaw_line(ANGLES) + np.float32(0.33)) / np.float32(0.38), 0, 1)
        neck = self._neck(SINE, COSINE)
        return np.asarray(np.maximum(skull * np.sqrt(1 - under**2), neck * ease((y - 0.2) / 0.6)), np.float32)

    def _raise_features(self, radius: Field) -> None:
        f, p, e = self.features, self.features.proportions, self.features.expression
        upper, inner, lower = (float(f.mouth[name][10, 1]) for name in ("upper_edge", "upper_inner", "lower_edge"))
        for side, corner in zip(SIDES.tolist(), f.mouth["upper_inner"][[-1, 0]].tolist(), strict=True):
            self._bump(radius, (side * 0.48, 0.02), (0.2, 0.13), -p.socket)  # eye socket
            self._bump(radius, (side * 0.5, 0.01), (0.13, 0.1), 0.05)  # eyeball
            self._bump(radius, (side * 0.33, 0.03), (0.07, 0.09), -0.075)  # inner corner of the eye
            self._bump(radius, (side * 0.6, p.brow_height + 0.03), (0.36, 0.13), 0.07)  # brow ridge
            self._bump(radius, corner, (0.2, 0.2), -0.12)  # the mouth's corners lie back
            cheek = p.cheeks + 0.05 * max(e.smile, 0.0)
            self._bump(radius, (side * 0.72, 0.55 - 0.05 * e.smile), (0.22, 0.22), cheek)
            self._bump(radius, (side * p.nose_width, p.nose_length + 0.03), (0.085, 0.1), 0.12)  # wing of the nose
            _ear(radius, side)
        self._nose(radius)
        self._bump(radius, (0.0, (lower + upper) / 2), (0.28, 0.24 + 0.3 * e.jaw_drop), 0.07 + 0.06 * e.pucker)  # jaws
        self._bump(radius, (0.0, inner - 0.05), (0.2, 0.05), 0.035)  # upper lip
        self._bump(radius, (0.0, lower - 0.05), (0.2, 0.055), 0.03)  # lower lip
        self._bump(radius, (0.0, lower + 0.11), (0.2, 0.09), -0.09)  # groove above the chin
        self._bump(radius, (0.0, f.chin - 0.27), (0.22, 0.16), 0.08)  # chin

    def _bump(self, radius: Field, frontal: Sequence[float], sigma: tuple[float, float], rise: float) -> None:
        """Raise the surface (in place) by a Gaussian hill at a frontal position; a negative rise digs."""
        (x, y), (wide, high) = frontal, sigma
        step = -0.3 * wide if x > 0 else 0.3 * wide
        middle, beside = self.angles(np.array([[x, y], [x + step, y]])).tolist()
        turn = abs(middle - beside) / 0.3
        rows, columns = window(middle, y, 3 * turn, 3 * high)
        across = np.exp(-0.5 * ((ANGLES[columns] - middle) / turn) ** 2)
        along = rise * np.exp(-0.5 * ((HEIGHTS[rows] - y) / high) ** 2)
        radius[rows, columns] += along[:, None] * across

    def _nose(self, radius: Field) -> None:
        """A ridge that widens and rises from the bridge to the tip and falls back to the lip."""
        p, tip = self.features.proportions, self.features.proportions.nose_length - 0.035
        rows = [-0.35, -0.05, 0.15, tip - 0.07, tip + 0.03, tip + 0.14, tip + 0.24, tip + 0.34]
        half = p.bridge + 0.3 * (p.nose_height - p.bridge)
        rise = [0.0, p.bridge, half, p.nose_height, 0.93 * p.nose_height, 0.5 * p.nose_height, 0.04, 0.0]
        spread = [0.08, 0.08, 0.09, 0.13, 0.14, 0.13, 0.12, 0.12]
        place = window(0.0, tip, 0.5, 1.0)
        y = HEIGHTS[place[0], None]
        sigma = np.interp(y, rows, spread) * (0.6 + 2 * p.nose_width) / p.depth
        ridge = np.interp(y, rows, rise) * np.exp(-0.5 * (np.abs(ANGLES[place[1]]) / sigma) ** 2.4)
        radius[place] += ridge.astype(np.float32)


def _ear(radius: Field, side: float) -> None:
    rows, columns = window(1.62 * side, 0.3, 0.2, 0.8)
    across = np.exp(-(((ANGLES[columns] - 1.62 * side) / 0.09) ** 4))
    radius[rows, columns] += 0.2 * np.exp(-(((HEIGHTS[rows, None] - 0.3) / 0.42) ** 4)) * across
