"""Appearance: the painted head with its brows, beard and hair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.datasets.rendered.chart import ANGLES, BOTTOM, COLUMNS, HEIGHTS, SHAPE
from harness.datasets.rendered.features import down
from harness.datasets.rendered.raster import Field, blur, ease
from harness.datasets.rendered.shape import Head
from harness.datasets.rendered.skin import Canvas, Tones, between, paint_skin
from harness.datasets.rendered.stream import Stream


@dataclass(frozen=True)
class Surface:
    """All that light falls on.

    Attributes:
        radius: float32 (ROWS, COLUMNS), distance from the axis, hair included.
        albedo: float32 (ROWS, COLUMNS), 0 black to 1 white.
        gloss: float32 (ROWS, COLUMNS), strength of the highlight.
    """

    radius: Field
    albedo: Field
    gloss: Field


def dress(head: Head, stream: Stream) -> Surface:
    """Colour a head and let its hair grow."""
    tones = Tones.draw(stream)
    canvas = paint_skin(head, tones, stream)
    gloss = np.full(SHAPE, 0.25 * stream.uniform() ** 2, np.float32)
    surface = Surface(head.radius.copy(), canvas.albedo, gloss)
    if stream.chance(0.4):
        _beard(surface, canvas, head, tones, stream)
    if stream.chance(0.05):
        _hat(surface, stream)
    else:
        _hair(surface, tones, stream)
    _brows(canvas, head, tones)
    np.clip(surface.albedo, 0.0, 1.0, out=surface.albedo)
    return surface


def _brows(canvas: Canvas, head: Head, tones: Tones) -> None:
    tone = min(tones.hair * 1.1 + 0.02, tones.skin * 0.75)
    opacity = 0.35 + 0.6 * min(1.0, head.features.proportions.brow_thickness / 0.13)
    canvas.fill(between(*head.features.brows), tone, opacity, 0.8)


def _beard(surface: Surface, canvas: Canvas, head: Head, tones: Tones, stream: Stream) -> None:
    """Stubble, moustache or full beard."""
    f = head.features
    full = stream.chance(0.5)
    strength = stream.uniform(0.15, 0.5) if stream.chance(0.6) else stream.uniform(0.6, 1.0)
    cover = np.zeros(SHAPE, np.float32)
    if full:
        around, y = np.abs(ANGLES), HEIGHTS[:, None]
        edge = 1.2 + stream.bell(0.0, 0.06) - 0.9 * np.clip((around - 0.35) / 0.9, 0, 1)
        cover = np.clip((y - edge) / 0.15, 0, 1) * np.clip((f.chin + 0.1 - y) / 0.2, 0, 1)
        cover *= np.clip((1.5 - around) / 0.2, 0, 1)
    if not full or stream.chance(0.7):
        lip = f.mouth["upper_edge"] * (1.15, 1.0)
        arc = 1 - np.linspace(-1.0, 1.0, len(lip)) ** 2
        roof = down(lip, (f.proportions.nose_length + 0.17 - lip[10, 1]) * arc**0.5)
        place, moustache = canvas.cover(between(roof, down(lip, 0.02)), 1.2)
        cover[place] = np.maximum(cover[place], moustache)
    cover = np.clip(cover * strength * (1 + 0.5 * stream.clouds(SHAPE, 96, 132)), 0, 1)
    _lay(surface, cover, tones.hair * 1.2 + 0.03, 0.0)
    surface.radius[:] += 0.05 * cover


def _hair(surface: Surface, tones: Tones, stream: Stream) -> None:
    """A hairline over forehead, temples and neck; what lies above it is hair with a volume of its own."""
    around, long = np.abs(ANGLES), stream.chance(0.35)
    style = stream.uniform()
    fringe, volume = stream.bell(-1.12, 0.13), stream.uniform(0.04, 0.3)
    if style < 0.13:  # a fringe down to the brows
        fringe = stream.uniform(-0.62, -0.35)
    elif style > 0.85:  # bald on top
        fringe, volume = stream.uniform(-1.9, -1.4), stream.uniform(0.0, 0.05)
    line = np.full(COLUMNS, fringe, np.float32)
    if fringe < -0.7:
        line += 0.25 * np.clip(np.abs(ANGLES - stream.bell(0.0, 0.4)) / 0.8, 0, 1.2) ** 2
    temple = ease((around - stream.uniform(0.7, 1.05)) / stream.uniform(0.12, 0.35))
    line += (stream.bell(0.15, 0.2) - line) * temple
    nape = np.clip((around - (stream.uniform(1.0, 1.35) if long else 1.85)) / 0.12, 0, 1)
    line += ((BOTTOM + 0.5 if long else 1.2) - line) * nape
    line += 0.05 * stream.clouds((1, COLUMNS), 1, 14)[0] + 0.02 * stream.clouds((1, COLUMNS), 1, 90)[0]

    cover = np.clip((line - HEIGHTS[:, None]) / 0.05 + 0.5, 0, 1).astype(np.float32)
    strands, waves = stream.clouds(SHAPE, 8 if long else 20, 100), stream.clouds(SHAPE, 12, 16)
    shape = blur(cover, 2.0)
    surface.radius[:] += shape * (volume * (1 + 0.3 * waves) + 0.015 * strands)
    if long:
        curtain = (stream.uniform(1.15, 1.4) + 0.08 * waves) * (HEIGHTS > -0.8)[:, None]
        np.maximum(surface.radius, shape * curtain, out=surface.radius)
    _lay(surface, cover, tones.hair * (1 + 0.3 * strands + 0.15 * waves), 0.25 * stream.uniform())


def _hat(surface: Surface, stream: Stream) -> None:
    """A cap or a brimmed hat down to the forehead."""
    edge = stream.uniform(-0.75, -0.5)
    line = edge + 0.25 * np.clip(np.abs(ANGLES) / 1.5, 0, 1.2) ** 2
    above = (line - HEIGHTS[:, None]).astype(np.float32)
    cover = np.clip(above / 0.04 + 0.5, 0, 1)
    brim = stream.uniform(0.0, 0.5) * np.exp(-(((above - 0.06) / 0.06) ** 2)) * (np.abs(ANGLES) < 1.1)
    surface.radius[:] += cover * stream.uniform(0.1, 0.2) + brim
    tone = stream.uniform(0.02, 0.8) * (1 + 0.1 * stream.clouds(SHAPE, 30, 60))
    _lay(surface, cover, tone, 0.0)


def _lay(surface: Surface, cover: NDArray[np.floating], tone: NDArray[np.floating] | float, gloss: float) -> None:
    """Cover the surface (in place) with something of another tone and gloss."""
    surface.albedo[:] += cover * (tone - surface.albedo)
    surface.gloss[:] += cover * (gloss - surface.gloss)
