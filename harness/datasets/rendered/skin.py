"""Skin: the colours of a face without its hair, painted on the chart of the head's surface."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.datasets.rendered.chart import SHAPE
from harness.datasets.rendered.features import LIP_SOFTNESS, Features, Proportions, down, mirrored
from harness.datasets.rendered.raster import DISC, Field, Points, blur, coverage
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.stream import Stream


@dataclass(frozen=True)
class Tones:
    """How bright (0 black, 1 white) a person's skin, hair and irises are."""

    skin: float
    hair: float
    iris: float

    @classmethod
    def draw(cls, stream: Stream) -> Tones:
        """A person's colours; dark skin comes with dark hair."""
        skin = stream.uniform(0.2, 0.4) if stream.chance(0.2) else stream.uniform(0.45, 0.75)
        iris = stream.uniform(0.03, 0.12) if stream.chance(0.6) else stream.uniform(0.1, 0.3)
        dark = stream.chance(0.7) or skin < 0.42
        return cls(skin, stream.uniform(0.03, 0.16) if dark else stream.uniform(0.15, 0.7), iris)


class Canvas:
    """A head's chart to paint on.

    Attributes:
        albedo: float32 (ROWS, COLUMNS), 0 black to 1 white.
    """

    def __init__(self, head: Head, tone: float) -> None:
        self._head = head
        self.albedo = np.full(SHAPE, tone, np.float32)

    def cover(self, outlines: Points, soft: float = 0.0, beyond: int = 0) -> tuple[tuple[slice, slice], Field]:
        """Where frontal outlines (..., N, 2) lie on the chart, and how much of each texel there they cover.

        ``soft`` is the blur of their edges in texels; the place reaches ``beyond`` texels further than it must.
        """
        points = self._head.on_chart(outlines)
        margin = 1 + round(2.5 * soft) + beyond
        flat = points.reshape(-1, 2)
        left, top = (np.maximum(flat.min(axis=0).astype(int) - margin, 0)).tolist()
        right, bottom = (flat.max(axis=0).astype(int) + margin + 2).tolist()
        place = slice(top, bottom), slice(left, right)
        cover = coverage(self.albedo[place].shape, points - (left, top))
        return place, blur(cover, soft) if soft else cover

    def fill(self, outlines: Points, tone: float, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Paint the inside of frontal outlines (..., N, 2)."""
        place, cover = self.cover(outlines, soft)
        self.albedo[place] += opacity * cover * (tone - self.albedo[place])

    def line(self, paths: Points, tone: float, opacity: float, wide: float, soft: float = 0.0) -> None:
        """Paint lines (..., N, 2) of a frontal width that taper to both ends."""
        half = 0.5 * wide * np.sin(np.linspace(0.15, np.pi - 0.15, paths.shape[-2]))
        self.fill(between(down(paths, -half), down(paths, half)), tone, opacity, soft)


def paint_skin(head: Head, tones: Tones, stream: Stream) -> Canvas:
    """Skin with its creases, eyes, nostrils and mouth."""
    canvas = Canvas(head, tones.skin)
    canvas.albedo *= 1 + 0.02 * stream.clouds(SHAPE, 28, 40) + 0.03 * stream.clouds(SHAPE, 6, 9)
    _creases(canvas, head.features, tones, stream)
    _eyes(canvas, head.features, tones, stream)
    _nostrils(canvas, head.features.proportions, tones, stream)
    _mouth(canvas, head.features.mouth, tones, stream)
    return canvas


def between(upper: Points, lower: Points) -> Points:
    """The outlines (..., 2 N, 2) around what lies between two lots of curves (..., N, 2)."""
    return np.concatenate([upper, lower[..., ::-1, :]], axis=-2)


def _creases(canvas: Canvas, f: Features, tones: Tones, stream: Stream) -> None:
    p, (upper, lower) = f.proportions, f.lids
    age, tone = stream.uniform() ** 1.5, tones.skin * 0.55
    hollow = f.eyes[:, :1] + (0.0, -0.05) + DISC * (0.24, 0.13)
    canvas.fill(hollow, tones.skin * stream.uniform(0.55, 0.95), 0.35, 2.5)
    wing = mirrored([p.nose_width + 0.05], [p.nose_length - 0.02])
    corner = f.mouth["upper_inner"][[-1, 0], None] + mirrored([0.06], [-0.01])
    folds = _bow(wing, (wing + corner) / 2 + mirrored([0.09], [-0.02]), corner)
    canvas.line(folds, tone, 0.2 + 0.55 * age * stream.uniform(0.2, 0.8), 0.05, 1.0)
    canvas.line(down(lower, 0.09), tone, 0.1 + 0.5 * age, 0.06, 1.3)
    canvas.line(down(upper, -0.05), tone, stream.uniform(0.2, 0.8), 0.03)
    for k in range(4 if stream.chance(age) else 0):
        across = np.linspace(-0.6, 0.6, 9)
        wave = -0.5 - 0.12 * k + stream.bell(0.0, 0.02) - 0.05 * np.cos(2 * across) + stream.bell(0.0, 0.02) * across
        canvas.line(np.stack([across, wave], axis=1), tone, 0.5 * age, 0.04, 0.8)


def _eyes(canvas: Canvas, f: Features, tones: Tones, stream: Stream) -> None:
    """The eyeballs, cut out by the lids, and the lashes."""
    upper, lower = f.lids
    gaze_x, gaze_y = f.expression.gaze
    place, cover = canvas.cover(between(upper, lower), beyond=8)  # in texels: the iris reaches past the lids
    lid = canvas.albedo[place].copy()
    canvas.albedo[place] = min(0.85, tones.skin * 1.1 + 0.1)
    middle = (upper[:, 8:9] + lower[:, 8:9]) / 2 + (0.06 * gaze_x, 0.03 * gaze_y)
    canvas.fill(middle + 0.095 * DISC, tones.iris)
    canvas.fill(middle + 0.045 * DISC, 0.01)
    if stream.chance(0.6):
        canvas.fill(middle + (stream.bell(0.0, 0.03), -0.035) + 0.03 * DISC, 1.0, 0.8)
    canvas.line(down(upper, 0.02), 0.08, 0.45, 0.05, 0.7)
    canvas.albedo[place] = lid + cover * (canvas.albedo[place] - lid)
    lash = stream.uniform(0.25, 0.9)
    canvas.line(upper, 0.04, lash, 0.04)
    canvas.line(lower, tones.skin * 0.5, 0.4 * lash, 0.03)


def _nostrils(canvas: Canvas, p: Proportions, tones: Tones, stream: Stream) -> None:
    middle, tip = np.array([p.skew, 0.0]), p.nose_length - 0.035
    x, y = DISC.T
    nostrils = mirrored(p.nose_width * 0.55 + 0.055 * x, tip + 0.13 + 0.028 * y + 0.012 * x)
    canvas.fill(middle + nostrils, tones.skin * 0.15, stream.uniform(0.5, 1.0), 0.6)
    wing = mirrored([p.nose_width + 0.03], [tip - 0.05])
    foot = mirrored([p.nose_width - 0.02], [tip + 0.12])
    canvas.line(
        middle + _bow(wing, (wing + foot) / 2 + mirrored([0.05], [0.0]), foot), tones.skin * 0.4, 0.5, 0.05, 0.8
    )
    under = np.array([[-0.7 * p.nose_width, tip + 0.11], [0.0, tip + 0.16], [0.7 * p.nose_width, tip + 0.11]])
    canvas.line(middle + _bow(*under), tones.skin * 0.4, stream.uniform(0.0, 0.4), 0.05, 0.8)


def _mouth(canvas: Canvas, mouth: dict[str, Points], tones: Tones, stream: Stream) -> None:
    lip = tones.skin * stream.uniform(0.5, 0.92)
    gap = float((mouth["lower_inner"] - mouth["upper_inner"])[10, 1])
    canvas.fill(between(mouth["upper_edge"], mouth["upper_inner"]), lip * 0.9, 0.9, 0.7)
    canvas.fill(between(mouth["lower_inner"], down(mouth["lower_edge"], LIP_SOFTNESS)), lip * 1.05, 0.8, 0.8)
    if gap > 0.02:
        canvas.fill(between(mouth["upper_inner"], mouth["lower_inner"]), 0.04)
        if stream.chance(0.75):
            gum = down(mouth["upper_inner"][3:-3], 0.01)
            depth = min(0.8 * gap, stream.uniform(0.04, 0.13)) * np.sin(np.linspace(0.0, np.pi, len(gum)))
            canvas.fill(between(gum, down(gum, depth)), stream.uniform(0.55, 0.85), 0.95)
        if gap > 0.15 and stream.chance(0.4):
            tongue = mouth["lower_inner"][5:-5]
            canvas.fill(between(down(tongue, -0.07), tongue), lip * 0.8, 0.8, 0.8)
    canvas.line(mouth["upper_inner"] * (1.04, 1.0), 0.06, 0.75, 0.035)
    canvas.line(down(mouth["lower_edge"][4:-4], 0.08), tones.skin * 0.5, stream.uniform(0.1, 0.6), 0.07, 1.2)


def _bow(start: Points, middle: Points, end: Points) -> Points:
    """Parabolas (..., 13, 2) from start to end through middle, each (..., 1, 2) or (2,)."""
    t = np.linspace(0.0, 1.0, 13)[:, None]
    return np.asarray((1 - t) ** 2 * start + 2 * t * (1 - t) * (2 * middle - (start + end) / 2) + t**2 * end)
